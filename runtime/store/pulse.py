"""Whether a store may have changed since one last looked: an answer that costs a few microseconds."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing, suppress
from pathlib import Path

from runtime.store.engine import Place
from runtime.store.errors import StoreError

BUSY_SECONDS, CALM_SECONDS, BLIND_SECONDS = 0.05, 0.2, 0.25
CALMER = 1.1  # from one beat to the next while nothing changes: from busy to calm within two seconds


class Pulse(ABC):
    """Used by one thread. `every`: how many seconds should lie between the last beat and the next."""

    every: float

    @abstractmethod
    def beat(self) -> bool:
        """False: nothing has changed since the last time that it was True. Raises StoreError."""

    @abstractmethod
    def close(self) -> None:
        """Give back what it holds."""


def of(place: Place) -> Pulse:
    """The pulse of the store at `place`."""
    return FilePulse(place) if isinstance(place, Path) else BlindPulse()


class FilePulse(Pulse):
    """SQLite counts the commits of all connections but the one that asks: `PRAGMA data_version`.

    To ask twenty times a second is most of what a service at rest would use: where nothing happens, five must do.
    """

    every = BUSY_SECONDS

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None

    def beat(self) -> bool:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
            with closing(self._connection.execute("PRAGMA data_version")) as found:
                seen: int = found.fetchone()[0]
        except sqlite3.Error as error:
            self.close()
            raise StoreError(str(error)) from error
        changed, self._seen = seen != self._seen, seen
        self.every = BUSY_SECONDS if changed else min(self.every * CALMER, CALM_SECONDS)
        return changed

    def close(self) -> None:
        connection, self._connection, self._seen = self._connection, None, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


class BlindPulse(Pulse):
    """A server tells nobody who does not ask: each beat says that it may have changed."""

    every = BLIND_SECONDS

    def beat(self) -> bool:
        return True

    def close(self) -> None:
        return
