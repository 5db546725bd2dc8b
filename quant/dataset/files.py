"""One folder under an fsspec URL. A file is there whole or not at all, whatever ends the process."""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from quant import places
from quant.dataset import disk
from quant.errors import QuantError, StoreFailed, UsageError

REFUSED = {"PreconditionFailed", "ConditionalRequestConflict"}
"""What S3 answers to a conditional write when someone else was faster."""


TRIES = 10
Result = TypeVar("Result")


class Changed(Exception):
    """Another writer replaced the file since it was looked at."""


class Files:
    """Paths are relative to the URL. On disk, writes are renamed into place after they reached it; an object store puts
    an object as a whole by itself. Every method raises StoreFailed when the store cannot be used."""

    def __init__(self, url: str, endpoint_url: str | None = None) -> None:
        """Raises UsageError when nothing can serve the URL."""
        options: dict[str, Any] = {"endpoint_url": endpoint_url} if endpoint_url else {}
        self.url = absolute(url)
        try:
            self._fs, self._root = fsspec.core.url_to_fs(self.url, use_listings_cache=False, **options)
        except (ValueError, ImportError, TypeError) as error:
            raise UsageError(f"data.url {url!r} cannot be used: {error}") from None
        self.local = isinstance(self._fs, LocalFileSystem)
        self._conditional = "s3" in self._fs.protocol

    def __str__(self) -> str:
        return self.url

    def find(self, pattern: str) -> list[str]:
        """Paths that match, in order."""
        with self._told(pattern):
            if self.local:
                return sorted(path.relative_to(self._root).as_posix() for path in Path(self._root).glob(pattern))
            below = self._fs.find(f"{self._root}/{_fixed(pattern)}".rstrip("/"))  # one listing, however deep
            relative = (path.removeprefix(self._root).lstrip("/") for path in below)
            return sorted(path for path in relative if _matches(path, pattern))

    def read(self, paths: Iterable[str]) -> list[bytes]:
        """Several at a time where the store is far. Raises FileNotFoundError."""
        wanted = [f"{self._root}/{path}" for path in paths]
        with self._told(", ".join(wanted), may_miss=True):
            if self.local:
                return [Path(path).read_bytes() for path in wanted]
            # not `cat`: it takes a [ in a path for a pattern
            return list(self._fs.cat_ranges(wanted, None, None, on_error="raise"))

    def version(self, path: str) -> str | None:
        """What `replace` must find again; None where there is no file, or no need to know."""
        with contextlib.suppress(FileNotFoundError), self._told(path, may_miss=True):
            return str(self._fs.info(f"{self._root}/{path}")["ETag"]) if self._conditional else None
        return None

    def write(self, path: str, data: bytes) -> None:
        with self._told(path):
            self._put(path, data)

    def replace(self, path: str, data: bytes, seen: str | None) -> None:
        """`write`, but raises Changed when the file is not the `version` that was seen any more (S3; on disk `alone`
        keeps others out)."""
        condition = {} if not self._conditional else {"mode": "create"} if seen is None else {"IfMatch": seen}
        with self._told(path):
            try:
                self._put(path, data, **condition)
            except OSError as error:
                if _code(error) in REFUSED:
                    raise Changed(path) from None
                raise

    def until_settled(self, change: Callable[[], Result]) -> Result:
        """`change()`, which reads, then calls `replace`; again as long as another writer was faster."""
        for _ in range(TRIES):
            with contextlib.suppress(Changed):
                return change()
        raise StoreFailed(f"{self.url}: others kept writing the same file", hint="fetch or import it once at a time")

    def remove(self, paths: Iterable[str]) -> None:
        """What is not there any more is no error."""
        for path in paths:
            with contextlib.suppress(FileNotFoundError), self._told(path, may_miss=True):
                self._fs.rm_file(f"{self._root}/{path}")

    @contextlib.contextmanager
    def alone(self, folder: str) -> Iterator[None]:
        """One writer at a time in `folder`, on disk; the lock ends with the process. An object store has none."""
        if not self.local:
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

    def _put(self, path: str, data: bytes, **condition: str) -> None:
        if self.local:
            disk.replace(Path(self._root) / path, data)
        else:
            self._fs.pipe_file(f"{self._root}/{path}", data, **condition)

    @contextlib.contextmanager
    def _told(self, what: str, may_miss: bool = False) -> Iterator[None]:
        """The store's own failures, as one error."""
        try:
            yield
        except (QuantError, Changed):
            raise
        except Exception as error:  # each store has its own exceptions, of libraries that may not be here
            if may_miss and isinstance(error, FileNotFoundError):
                raise
            hint = "is data.url right, and may this user read and write there?"
            raise StoreFailed(f"{self.url}: {what}: {type(error).__name__}: {error}", hint=hint) from error


def absolute(url: str) -> str:
    """A relative path counts from the checkout (`quant.places.home`), ~ is the user's own folder."""
    return url if "://" in url else str(places.home() / Path(url).expanduser())


def _fixed(pattern: str) -> str:
    """The folders of a pattern before the first that has a *."""
    return "/".join(itertools.takewhile(lambda part: "*" not in part, pattern.split("/")[:-1]))


def _matches(path: str, pattern: str) -> bool:
    names, patterns = path.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatch.fnmatchcase, names, patterns))


def _code(error: OSError) -> str:
    """S3's own word for it: the exceptions they become are not always the same."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
