"""What a dataset asks of the place it lies in: one folder, whose files are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from quant import places
from quant.errors import QuantError, StoreFailed

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
ROOM = "the disk is full: make room and run it again; what was stored before is whole"
TRIES = 10
Result = TypeVar("Result")


def absolute(url: str) -> str:
    """What it means wherever it is read: a relative path counts from the checkout, ~ is the user's own folder."""
    return url if "://" in url else str(places.home() / Path(url).expanduser())


class Changed(Exception):
    """Another writer replaced the file since it was looked at."""


class Files(ABC):
    """Paths are relative to `url`. Every method raises StoreFailed when the store cannot be used."""

    url: str
    locks: bool
    """Whether `alone` keeps others out, so that a file which nobody names is nobody's."""

    def __str__(self) -> str:
        return self.url

    @abstractmethod
    def find(self, pattern: str) -> list[str]:
        """Paths that match, in order; * stands for any part of one name."""

    @abstractmethod
    def read(self, paths: Iterable[str]) -> list[bytes]:
        """Raises FileNotFoundError."""

    @abstractmethod
    def version(self, path: str) -> str | None:
        """What `replace` must find again; None where there is no file, or no need to know."""

    @abstractmethod
    def replace(self, path: str, data: bytes, seen: str | None) -> None:
        """Writes; raises Changed when the file is not the `version` that was seen any more."""

    @abstractmethod
    def write(self, path: str, data: bytes) -> None:
        """Whatever is there."""

    @abstractmethod
    def remove(self, paths: Iterable[str]) -> None:
        """What is not there any more is no error."""

    @abstractmethod
    def alone(self, folder: str) -> contextlib.AbstractContextManager[None]:
        """One writer at a time in `folder`, if the store `locks`."""

    def until_settled(self, change: Callable[[], Result]) -> Result:
        """`change()`, which reads, then calls `replace`; again as long as another writer was faster."""
        for _ in range(TRIES):
            with contextlib.suppress(Changed):
                return change()
        raise StoreFailed(f"{self.url}: others kept writing the same file", hint="fetch or import it once at a time")

    @contextlib.contextmanager
    def told(self, what: str, *, may_miss: bool = False) -> Iterator[None]:
        """The store's own failures, as one error. `may_miss`: a missing file is left to the caller."""
        try:
            yield
        except (QuantError, Changed):
            raise
        except Exception as error:  # each store has its own exceptions, of libraries that may not be here
            if may_miss and isinstance(error, FileNotFoundError):
                raise
            full = isinstance(error, OSError) and error.errno in FULL
            hint = ROOM if full else "is data.url right, and may this user read and write there?"
            raise StoreFailed(f"{self.url}: {what}: {type(error).__name__}: {error}", hint=hint) from error
