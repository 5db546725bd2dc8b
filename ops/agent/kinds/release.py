"""A release: a virtual environment built in place from uploaded wheels, then switched to by one symlink.

No package index is asked. Each wheel is named by its sha256, checked when it arrives, again when it is taken from
the store, and again by the installer against the lock's hashes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from .. import files
from ..host import STATE, HostError, run
from ..managed import Mark
from .base import Change, Kind, State, Want

BLOBS = STATE / "blobs"


class Release(Kind):
    """want: root, id, python ("3.11"), wheels [{name, sha256, size}], requirements (text), installer {...}, keep."""

    def read(self, want: Want) -> State:
        link = Path(want["root"]) / "venv"
        current = link.readlink().name if link.is_symlink() else ""
        return {"current": current, "built": is_built(want), "link": files.look(str(link))}

    def changes(self, state: State, want: Want) -> list[Change]:
        found = []
        if not state["built"]:
            found.append(Change("build", "absent", f"{want['id']} ({len(want['wheels'])} wheels)"))
        if state["current"] != want["id"]:
            found.append(Change("venv", state["current"] or "absent", want["id"]))
        return found

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        if not state["built"]:
            _build(want)
        link = str(Path(want["root"]) / "venv")
        files.make_way(link, state["link"]["type"], "symlink")
        files.link(link, str(_home(want)))
        _retire(want, state["current"])

    def keep(self, state: State, want: Want) -> dict[str, Any]:
        return files.keep(state["link"], str(Path(want["root"]) / "venv"))

    def restore(self, kept: dict[str, Any]) -> None:
        files.restore(kept)

    def marks(self, want: Want) -> list[Mark]:
        return [{"type": "symlink", "path": str(Path(want["root"]) / "venv"), "target": str(_home(want))}]


def missing_blobs(wants: list[Want]) -> list[str]:
    """sha256 of the wheels that must be uploaded: none for a release that is already built."""
    open_ = [want for want in wants if not is_built(want)]
    names = {wheel["sha256"] for want in open_ for wheel in [*want["wheels"], want["installer"]]}
    return sorted(name for name in names if not (BLOBS / name).exists())


def receive(sha256: str, size: int, source: Any) -> None:
    """Stores one uploaded wheel under its hash; what does not match is refused and nothing is kept."""
    BLOBS.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = BLOBS / f".{sha256}"
    try:
        found = _store(draft, size, source)
        if found != sha256:
            raise HostError(f"an uploaded wheel is not what the lock says: sha256 {found[:12]}, not {sha256[:12]}")
        draft.rename(BLOBS / sha256)
    finally:
        draft.unlink(missing_ok=True)


def _store(draft: Path, left: int, source: Any) -> str:
    digest = hashlib.sha256()
    with draft.open("wb") as out:
        while left:
            if not (part := source.read(min(left, 1 << 20))):
                raise EOFError
            digest.update(part)
            out.write(part)
            left -= len(part)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def is_built(want: Want) -> bool:
    """A release counts once its last file is written; anything less is built again."""
    return (_home(want) / "release.json").is_file()


def _home(want: Want) -> Path:
    return Path(want["root"]) / "releases" / str(want["id"])


def _build(want: Want) -> None:
    home = _home(want)
    files.remove_tree(home)
    home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    wheelhouse = home.with_name(f".{home.name}.wheels")
    files.remove_tree(wheelhouse)
    wheelhouse.mkdir(mode=0o700)
    try:
        _install(want, home, wheelhouse)
    except BaseException:
        files.remove_tree(home)
        raise
    finally:
        files.remove_tree(wheelhouse)
    record = {"id": want["id"], "wheels": [wheel["sha256"] for wheel in want["wheels"]]}
    files.write(home / "release.json", json.dumps(record | {"installer": want["installer"]["sha256"]}).encode())


def _install(want: Want, home: Path, wheelhouse: Path) -> None:
    for wheel in want["wheels"]:
        (wheelhouse / wheel["name"]).symlink_to(_checked(wheel))
    uv = _installer(want["installer"], wheelhouse)
    locked = wheelhouse / "requirements.txt"
    locked.write_text(want["requirements"])
    quiet = ("--quiet", "--offline", "--no-cache", "--no-config")
    base = f"/usr/bin/python{want['python']}"
    run(uv, "venv", *quiet, "--no-project", "--python", base, str(home), timeout=120, bound=True)
    run(
        uv, "pip", "install", *quiet, "--no-index", "--find-links", str(wheelhouse), "--require-hashes", "--no-deps",
        "--link-mode", "copy", "--compile-bytecode", "--python", str(home / "bin" / "python"), "-r", str(locked),
        timeout=600, bound=True,
    )  # fmt: skip


def _checked(wheel: dict[str, Any]) -> Path:
    path = BLOBS / str(wheel["sha256"])
    if _sha256(path) != wheel["sha256"]:
        path.unlink()
        hint = "it was removed: run deploy again to upload it anew, and find out who writes there"
        raise HostError(f"{wheel['name']} in {BLOBS} was changed after it was uploaded", hint)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _installer(wheel: dict[str, Any], wheelhouse: Path) -> str:
    """Takes the uv program out of its wheel: it needs no pip, no ensurepip and no network on the host."""
    import zipfile

    target = wheelhouse / "uv"
    with zipfile.ZipFile(_checked(wheel)) as archive:
        inside = next(name for name in archive.namelist() if name.endswith(".data/scripts/uv"))
        with archive.open(inside) as program, target.open("wb") as out:
            shutil.copyfileobj(program, out, 1 << 20)
    target.chmod(0o700)
    return str(target)


def _retire(want: Want, previous: str) -> None:
    """Keeps the newest `keep` releases, the current one and those that a rollback may come back to.

    Wheels that none of them needs go too.
    """
    folder = Path(want["root"]) / "releases"
    stays = {str(want["id"]), previous, *_undo_targets()}
    built = sorted(folder.glob("*/release.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    stays |= {path.parent.name for path in built[: int(want["keep"])]}
    for path in folder.iterdir():
        if path.name not in stays:  # what a run that was killed left half-built goes too
            files.remove_tree(path)
    needed = {name for path in folder.glob("*/release.json") for name in _needs(path)}
    for blob in BLOBS.iterdir() if BLOBS.is_dir() else ():
        if blob.name not in needed:
            blob.unlink()


def _undo_targets() -> list[str]:
    """Releases that the undo log points to: after interrupted runs that is an older one than the previous."""
    notes = [json.loads(path.read_text()) for path in (STATE / "undo").glob("[0-9]*.json")]
    return [Path(note["kept"].get("target", "")).name for note in notes if note["kind"] == "release"]


def _needs(path: Path) -> list[str]:
    with contextlib.suppress(OSError, ValueError, KeyError):
        record = json.loads(path.read_text())
        return [*record["wheels"], record["installer"]]
    return []
