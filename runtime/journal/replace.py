"""Changing a log book whole or not at all, while others append to it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime import clock, disk
from runtime.journal.book import BookError


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """The file that `path` names, open for reading and appending, held for this process alone.

    Waits for the lock; when the file was replaced meanwhile, takes the new one. Raises OSError.
    """
    while True:
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if _named(fd, path):
                yield fd
                return
        finally:
            os.close(fd)


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> Path | None:
    """Replace `path` by what `change` makes of it. Returns the backup (0600) of what it was; None when nothing changed.

    Raises BookError.
    """
    try:
        real = path.resolve(strict=True)
        with locked(real) as fd:
            old = real.read_bytes()
            new = change(old)
            return None if new == old else _replace(real, fd, old, new)
    except OSError as error:
        raise BookError(f"{path}: {error.strerror or error}") from error


def append(path: Path, entry: bytes, *, sync: bool = True) -> None:
    """Add `entry` at the end, after a blank line, in one write; all of it or nothing. Raises BookError."""
    try:
        with locked(path) as fd:
            size = os.fstat(fd).st_size
            blob = _lead(os.pread(fd, 2, max(size - 2, 0))) + entry
            if os.write(fd, blob) != len(blob):
                os.ftruncate(fd, size)
                raise BookError(f"{path}: no room for the entry", "free some space, then do it again")
            if sync:
                os.fsync(fd)
    except OSError as error:
        raise BookError(f"{path}: {error.strerror or error}") from error


def _lead(tail: bytes) -> bytes:
    if not tail or tail == b"\n\n":
        return b""
    return b"\n" if tail.endswith(b"\n") else b"\n\n"


def _replace(path: Path, fd: int, old: bytes, new: bytes) -> Path:
    stamp = clock.iso(clock.now()).translate(str.maketrans("", "", "-:.+"))[:21]
    backup = path.with_name(f"{path.name}.{stamp}.bak")
    like = os.fstat(fd)
    disk.replace(backup, old, lambda _: None)
    disk.replace(path, new, lambda new_fd: _resemble(new_fd, like))
    return backup


def _resemble(fd: int, like: os.stat_result) -> None:
    if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(fd, like.st_uid, like.st_gid)
    os.fchmod(fd, like.st_mode & 0o7777)


def _named(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
