"""Our lines in a file that belongs to somebody else (~/.ssh/config)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import files
from ..host import HostError
from ..managed import Mark, sha256
from .base import Change, Kind, State, Want, differ, text_diff

_OPEN_TO_OTHERS = 0o022


class Block(Kind):
    """want: path, title, content (whole lines), owner, group, mode. A link is followed."""

    def read(self, want: Want) -> State:
        real = os.path.realpath(want["path"])
        return {**files.look(real, content=True), "path": real}

    def changes(self, state: State, want: Want) -> list[Change]:
        if state["type"] not in ("file", "absent"):
            return [Change("file", state["type"], "present")]
        found = [Change("file", "absent", "present")] if state["type"] == "absent" else _too_open(state)
        old = state.get("content", "")
        new = placed(old, want["title"], want["content"])
        return found + ([] if new == old else [text_diff(want["path"], old, new, secret=False)])

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        path = state["path"]
        if state["type"] not in ("file", "absent"):
            raise HostError(
                f"{path} is a {state['type']}, not a file", f"move it away on the host: mv {path} {path}.old"
            )
        if not Path(path).parent.is_dir():
            raise HostError(f"the directory {Path(path).parent} does not exist", "the role must create it first")
        text = placed(state.get("content", ""), want["title"], want["content"])
        access = want if state["type"] == "absent" else state
        mode = int(access["mode"], 8) & ~_OPEN_TO_OTHERS
        data = text.encode("utf-8", "surrogateescape")
        files.write(path, data, owner=access["owner"], group=access["group"], mode=mode)

    def keep(self, state: State, want: Want) -> dict[str, Any] | None:
        return files.keep({key: value for key, value in state.items() if key != "path"}, state["path"])

    def restore(self, kept: dict[str, Any]) -> None:
        files.restore(kept)

    def marks(self, want: Want) -> list[Mark]:
        return [{"type": "block", "path": want["path"], "title": want["title"], "sha256": sha256(want["content"])}]


def placed(text: str, title: str, content: str) -> str:
    """`text` with the block in its place: where it was, or first. Blocks that somebody doubled become one."""
    begin, end = f"# BEGIN trading-ops {title}", f"# END trading-ops {title}"
    block = f"{begin} (a change in here is undone by the next deploy)\n{content}{end}\n"
    kept, at = _without(text.splitlines(keepends=True), begin, end)
    if at is None:
        return block + ("\n" if kept else "") + "".join(kept)
    return "".join(kept[:at]) + block + "".join(kept[at:])


def _without(lines: list[str], begin: str, end: str) -> tuple[list[str], int | None]:
    """The lines that are not ours, and where the first of ours stood. A begin without an end is one line only."""
    kept: list[str] = []
    place: int | None = None
    number = 0
    while number < len(lines):
        if not lines[number].startswith(begin):
            kept.append(lines[number])
        else:
            place = len(kept) if place is None else place
            number = _end(lines, number, begin, end)
        number += 1
    return kept, place


def _end(lines: list[str], at: int, begin: str, end: str) -> int:
    for number in range(at + 1, len(lines)):
        if lines[number].startswith(end):
            return number
        if lines[number].startswith(begin):
            break
    return at


def _too_open(state: State) -> list[Change]:
    """OpenSSH refuses a configuration that others may write to."""
    mode = int(state["mode"], 8)
    return differ("mode", state["mode"], f"{mode & ~_OPEN_TO_OTHERS:04o}")
