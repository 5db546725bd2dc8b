"""A folder on disk. Files are renamed into place after they reached it: neither a killed process nor a power cut leaves
half of one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from quant.dataset.files import Files

TEMPORARY = ".*.tmp"
"""What a killed process leaves behind, as a pattern."""


class Disk(Files):
    locks = True

    def __init__(self, root: Path) -> None:
        self.url = str(root)
        self._root = root

    def find(self, pattern: str) -> list[str]:
        with self.told(pattern):
            return sorted(path.relative_to(self._root).as_posix() for path in self._root.glob(pattern))

    def read(self, paths: Iterable[str]) -> list[bytes]:
        wanted = [self._root / path for path in paths]
        with self.told(", ".join(map(str, wanted)), may_miss=True):
            return [path.read_bytes() for path in wanted]

    def version(self, path: str) -> str | None:
        return None

    def write(self, path: str, data: bytes) -> None:
        with self.told(path):
            _replace(self._root / path, data)

    def replace(self, path: str, data: bytes, seen: str | None) -> None:
        self.write(path, data)

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            with self.told(path):
                (self._root / path).unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self, folder: str) -> Iterator[None]:
        """The lock ends with the process, however it ends."""
        with self.told(folder):
            place = self._root / folder
            place.mkdir(parents=True, exist_ok=True)
            handle = os.open(place / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _replace(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(".tmp", f".{target.name}-", target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _settle(target.parent)


def _settle(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
