"""Files, directories and symbolic links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import files
from ..host import HostError, run
from ..managed import Mark, access, sha256
from .base import Change, Kind, State, Want, differ, text_diff


def _access(state: State, want: Want) -> list[Change]:
    wanted = {"owner": want["owner"], "group": want["group"], "mode": want["mode"]}
    return [change for key, value in wanted.items() for change in differ(key, state.get(key, "-"), value)]


class File(Kind):
    """want: path, content (text; null: only owner and mode are ours), owner, group, mode, secret, validate (argv)."""

    def read(self, want: Want) -> State:
        return files.look(want["path"], content=want["content"] is not None)

    def changes(self, state: State, want: Want) -> list[Change]:
        if state["type"] != "file":
            return [Change("file", state["type"], "present"), *self._content(state, want)]
        return self._content(state, want) + _access(state, want)

    def _content(self, state: State, want: Want) -> list[Change]:
        old, new = state.get("content", ""), want["content"]
        if new in (None, old):
            return []
        return [text_diff(want["path"], old, new, secret=want["secret"])]

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        path = want["path"]
        if not Path(path).parent.is_dir():
            raise HostError(f"the directory {Path(path).parent} does not exist", "the role must create it first")
        if state["type"] == "file" and not any(change.what == "content" for change in changes):
            files.own(path, want["owner"], want["group"], want["mode"])
            return
        self._validate(want)
        if state["type"] != "symlink":  # a rename replaces a link in one step
            files.make_way(path, state["type"], "file")
        data = (want["content"] or "").encode()
        files.write(path, data, owner=want["owner"], group=want["group"], mode=int(want["mode"], 8))

    def _validate(self, want: Want) -> None:
        """Lets the program that will read the file refuse it before it is in place."""
        if not want["validate"] or want["content"] is None:
            return
        from ..host import RUN

        RUN.mkdir(mode=0o755, exist_ok=True)
        draft = RUN / f"draft.{Path(want['path']).name}"
        files.write(draft, want["content"].encode(), mode=0o600)
        try:
            run(*(part.replace("%s", str(draft)) for part in want["validate"]))
        finally:
            draft.unlink(missing_ok=True)

    def keep(self, state: State, want: Want) -> dict[str, Any] | None:
        """A file whose content is not ours (the log book) is never taken away again, nor set back."""
        if want["content"] is not None:
            return files.keep(state, want["path"])
        access = {key: value for key, value in state.items() if key != "content"}
        return files.keep(access, want["path"]) if state["type"] == "file" else None

    def restore(self, kept: dict[str, Any]) -> None:
        files.restore(kept)

    def marks(self, want: Want) -> list[Mark]:
        text = {} if want["content"] is None else {"sha256": sha256(want["content"])}
        return [access(want, "file") | text]


class Directory(Kind):
    """want: path, owner, group, mode. A link to a directory is one: someone moved it to another disk."""

    def read(self, want: Want) -> State:
        return files.look(_behind(want["path"]))

    def changes(self, state: State, want: Want) -> list[Change]:
        if state["type"] != "directory":
            return [Change("directory", state["type"], "present")]
        return _access(state, want)

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        files.make_way(want["path"], state["type"], "directory")
        Path(want["path"]).mkdir(parents=True, exist_ok=True)
        files.own(_behind(want["path"]), want["owner"], want["group"], want["mode"])

    def keep(self, state: State, want: Want) -> dict[str, Any]:
        return files.keep(state, _behind(want["path"]))

    def restore(self, kept: dict[str, Any]) -> None:
        files.restore(kept)

    def marks(self, want: Want) -> list[Mark]:
        return [access(want, "directory")]


def _behind(path: str) -> str:
    place = Path(path)
    return str(place.resolve()) if place.is_symlink() and place.is_dir() else path


class Symlink(Kind):
    """want: path, target."""

    def read(self, want: Want) -> State:
        return files.look(want["path"], content=True)

    def changes(self, state: State, want: Want) -> list[Change]:
        return differ("target", state.get("target", state["type"]), want["target"])

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        if state["type"] != "file":
            files.make_way(want["path"], state["type"], "symlink")
        files.link(want["path"], want["target"])

    def keep(self, state: State, want: Want) -> dict[str, Any]:
        return files.keep(state, want["path"])

    def restore(self, kept: dict[str, Any]) -> None:
        if files.look(kept["path"])["type"] == "symlink" and kept["type"] == "file":
            Path(kept["path"]).unlink()
        files.restore(kept)

    def marks(self, want: Want) -> list[Mark]:
        return [{"type": "symlink", "path": want["path"], "target": want["target"]}]
