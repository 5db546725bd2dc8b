"""A folder on disk. Files are renamed into place after they reached it: neither a killed process nor a power cut leaves
half of one."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from quant.dataset.files import Files
from runtime import disk

MODE = 0o644


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
            target = self._root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            disk.replace(target, data, lambda handle: os.fchmod(handle, MODE))

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
