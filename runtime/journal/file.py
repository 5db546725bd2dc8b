"""Appending to a file that people, editors and scripts use too: journal.md, events.jsonl.

The file is opened anew for each append (an editor may have replaced it by rename), locked with flock(2), and written
with one O_APPEND write. What a crash or a full disk left behind is found by looking at the file, never by guessing.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runtime import disk
from runtime.journal.outbox import Intent

MODE = 0o640  # the group may read the log book
_TORN_MIN = 24  # `## 2026-02-15 21:09 | TV `: a shorter rest could be anybody's


class JournalError(Exception):
    """The journal cannot be written now; trying again later can help."""


class Journal:
    """The file, open and locked. `part` stands before each entry."""

    def __init__(self, fd: int, path: Path, part: str = "\n") -> None:
        self._fd = fd
        self._path = path
        self._part = part

    @property
    def size(self) -> int:
        """Bytes in it now."""
        return os.fstat(self._fd).st_size

    def intend(self, upto: int, entries: tuple[str, ...], refs: tuple[int, ...] = ()) -> Intent:
        """What appending `entries` here and now would be; a line that somebody left open is ended first."""
        found = os.fstat(self._fd)
        parted = tuple(self._part + entry for entry in entries)
        return Intent(upto, found.st_dev, found.st_ino, found.st_size, self._lead(found.st_size), parted, refs)

    def append(self, blob: bytes) -> None:
        """Write `blob` at the end and sync it. When only a part fits, that part is taken back. Raises JournalError."""
        size = self.size
        try:
            written = os.write(self._fd, blob)
            if written != len(blob):
                raise JournalError(f"only {written} of {len(blob)} bytes fit into {self._path}")
            os.fsync(self._fd)
        except (OSError, JournalError):
            self._take_back(size, blob)
            raise
        if not self._still_in_place():
            raise JournalError(f"{self._path} was replaced meanwhile")

    def finish(self, intent: Intent) -> None:
        """Bring the file to where `intent` is in it exactly once, whatever happened after it was recorded."""
        tail = self._tail_at(intent)
        if tail is not None and intent.blob.startswith(tail):
            if tail != intent.blob:
                os.ftruncate(self._fd, intent.offset)
                self.append(intent.blob)
            return
        missing = self._missing(intent.entries)
        if missing:
            self._cut_torn(missing[0].encode())
            self.append((self._lead(self.size) + "".join(missing)).encode())

    def rename(self, target: Path) -> None:
        """Move the file away, durably; whoever opens the old path afterwards makes a new one."""
        self._path.rename(target)
        disk.sync(target.parent)

    def _lead(self, size: int) -> str:
        unfinished = size > 0 and os.pread(self._fd, 1, size - 1) != b"\n"
        return "\n" if unfinished else ""

    def _missing(self, entries: tuple[str, ...]) -> list[str]:
        """Those that stand nowhere in the file. They were written in order, so the next is looked for behind first."""
        text, at, missing = os.pread(self._fd, self.size, 0), 0, list[str]()
        for entry in entries:
            data = entry.encode()
            found = text.find(data, at)
            if found < 0:
                found = text.find(data)
            if found < 0:
                missing.append(entry)
            else:
                at = found
        return missing

    def _tail_at(self, intent: Intent) -> bytes | None:
        """What stands from the intent's offset on; None when this is another file, or shorter, or far longer."""
        found = os.fstat(self._fd)
        same = (found.st_dev, found.st_ino) == (intent.device, intent.inode)
        if not same or not 0 <= found.st_size - intent.offset <= len(intent.blob):
            return None
        return os.pread(self._fd, len(intent.blob), intent.offset)

    def _cut_torn(self, entry: bytes) -> None:
        """Take away a beginning of `entry` that the file ends with."""
        size = self.size
        tail = os.pread(self._fd, len(entry), max(0, size - len(entry)))
        for length in range(min(len(entry) - 1, len(tail)), _TORN_MIN, -1):
            if tail.endswith(entry[:length]):
                os.ftruncate(self._fd, size - length)
                return

    def _take_back(self, size: int, blob: bytes) -> None:
        """Only what is ours: the file must hold, from `size` to its end, a beginning of `blob` and nothing else."""
        with suppress(OSError):
            tail = os.pread(self._fd, len(blob) + 1, size)
            if tail and blob.startswith(tail):
                os.ftruncate(self._fd, size)

    def _still_in_place(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return False


@contextmanager
def open_journal(path: Path, part: str = "\n") -> Iterator[Journal]:
    """The file, created when absent, locked. Raises JournalError when another program holds the lock, or OSError."""
    fd = _open(path)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise JournalError(f"{path} is not a regular file")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{path} is locked by another program") from None
        yield Journal(fd, path, part)
    finally:
        os.close(fd)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        return _create(path, flags)


def _create(path: Path, flags: int) -> int:
    fd = os.open(path, flags | os.O_CREAT, MODE)
    os.fchmod(fd, MODE)  # the service's umask is 0077
    disk.sync(path.parent)
    return fd
