"""One folder under an fsspec URL. A file is there whole or not at all, whatever ends the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from quant import places
from quant.errors import NoData, QuantError, UsageError

TEMPORARY = ".tmp"


class Files:
    """Paths are relative to the URL. On disk writes are renamed into place after they reached it; an object store puts
    an object as a whole by itself."""

    def __init__(self, url: str, endpoint_url: str | None = None) -> None:
        options: dict[str, Any] = {"endpoint_url": endpoint_url} if endpoint_url else {}
        self.url = absolute(url)
        try:
            self._fs, self._root = fsspec.core.url_to_fs(self.url, use_listings_cache=False, **options)
        except (ValueError, ImportError, TypeError) as error:
            raise UsageError(f"data.url {url!r} cannot be used: {error}") from None
        self._local = isinstance(self._fs, LocalFileSystem)

    def __str__(self) -> str:
        return self.url

    def find(self, pattern: str) -> list[str]:
        """Paths that match, in order."""
        with self._told(pattern):
            found = self._fs.glob(f"{self._root}/{pattern}")
        return sorted(path.removeprefix(self._root).lstrip("/") for path in found)

    def read(self, paths: Iterable[str]) -> list[bytes]:
        """Several at a time where the store is far. Raises FileNotFoundError."""
        wanted = [f"{self._root}/{path}" for path in paths]
        if self._local:
            return [Path(path).read_bytes() for path in wanted]
        with self._told(", ".join(wanted)):
            found = self._fs.cat(wanted) if wanted else {}
        return [found[path] for path in wanted]

    def write(self, path: str, data: bytes) -> None:
        target = f"{self._root}/{path}"
        with self._told(path):
            if self._local:
                _replace(Path(target), data)
            else:
                self._fs.pipe_file(target, data)

    def remove(self, paths: Iterable[str]) -> None:
        """What is not there any more is no error."""
        for path in paths:
            with self._told(path), contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(f"{self._root}/{path}")

    @contextlib.contextmanager
    def alone(self, folder: str) -> Iterator[None]:
        """One writer at a time in `folder`, on disk; the lock ends with the process. An object store has none."""
        if not self._local:
            yield
            return
        with self._told(folder):
            place = Path(self._root) / folder
            place.mkdir(parents=True, exist_ok=True)
            handle = os.open(place / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """The store's own failures, as one error."""
        try:
            yield
        except (FileNotFoundError, QuantError):
            raise
        except Exception as error:  # each store has its own exceptions, of libraries that may not be here
            raise NoData(f"{self.url}: {what}: {type(error).__name__}: {error}", hint="is data.url right, and may "
                         "this user read and write there?") from error  # fmt: skip


def absolute(url: str) -> str:
    """A relative path counts from the checkout (`quant.places.home`)."""
    return url if "://" in url else str(places.home() / url)


def _replace(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(TEMPORARY, f".{target.name}-", target.parent)
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
