"""Getting an entry into a log book exactly once, however often the run that does it is killed.

Before the append, the file's identity and size are recorded; whether it happened is found by looking at the file, never
by guessing. An entry that somebody edited since is known by its heading, which no other paste's entry has.
"""

from __future__ import annotations

from pathlib import Path

from runtime.journal.book import BookError, parse
from runtime.journal.replace import append, rewrite

Place = tuple[int, int, int]
_TORN = 8
"""So much of `## 2026-02-13` at the end of the file can only be an entry that was cut off."""


class Edited(Exception):
    """The entry is not as it was written: somebody's hand was there."""


def place(path: Path) -> Place | None:
    """Where an append would begin: device, inode, size. None when there is no file yet."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_size


def finish(path: Path, entry: bytes, before: Place | None) -> None:
    """Append `entry` unless it is there already; what was cut off is taken away first. Raises BookError."""
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise BookError(f"{path}: {error.strerror or error}") from error
    if _stands(data, entry):
        return
    if torn(data, entry, _offset(path, before)) is not None:
        rewrite(path, lambda now: _cut(now, entry, _offset(path, before)))
    elif _line(entry) in data:
        return
    append(path, entry)


def swap(path: Path, old: bytes, new: bytes) -> None:
    """Put `new` in the place of the entry `old`, unless it is there already. Raises Edited, BookError."""

    def swapped(data: bytes) -> bytes:
        return data if _stands(data, new) else _swapped(data, old, new)

    backup = rewrite(path, swapped)
    if backup is not None:
        backup.unlink()  # nothing is lost: the inbox has the paste, and git the entry


def torn(data: bytes, entry: bytes, offset: int) -> tuple[int, int] | None:
    """Where a cut-off beginning of `entry` stands, from `offset` on: at the end, or before the next entry."""
    at = data.find(entry[:_TORN], offset)
    while at >= 0:
        length = _common(data, at, entry)
        rest = data[at + length : at + length + 16]
        if (
            length < len(entry)
            and (not rest or rest.lstrip(b"\n").startswith(b"## "))
            and length > len(_line(entry)) // 2
        ):
            return at, at + length
        at = data.find(entry[:_TORN], at + 1)
    return None


def _cut(data: bytes, entry: bytes, offset: int) -> bytes:
    found = torn(data, entry, offset)
    return data[: found[0]] + data[found[1] :].lstrip(b"\n") if found else data


def _offset(path: Path, before: Place | None) -> int:
    now = place(path)
    return before[2] if before and now and before[:2] == now[:2] and before[2] <= now[2] else 0


def _swapped(data: bytes, old: bytes, new: bytes) -> bytes:
    for piece in parse(data).pieces():
        if piece.raw.strip() == old.strip():
            tail = piece.raw[len(piece.raw.rstrip()) :]
            return data[: piece.start] + new.rstrip() + tail + data[piece.end :]
    raise Edited


def _stands(data: bytes, entry: bytes) -> bool:
    return b"\n" + entry.rstrip(b"\n") in b"\n" + data if entry[:40] in data else False


def _line(entry: bytes) -> bytes:
    return entry.partition(b"\n")[0] + b"\n"


def _common(data: bytes, at: int, entry: bytes) -> int:
    """How many bytes of `entry` stand at `at`."""
    low, high = 0, min(len(entry), len(data) - at)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if data[at : at + middle] == entry[:middle] else (low, middle - 1)
    return low
