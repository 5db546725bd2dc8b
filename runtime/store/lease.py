"""Of the processes that share a store, one at a time delivers to each sink: it holds that sink's lease.

A lease ends with its process, however that dies: it is a lock of the kernel, or of a session with PostgreSQL.
"""

from __future__ import annotations

import fcntl
import os
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from runtime.store.engine import Place, key, sessions
from runtime.store.errors import StoreError, why

CLOSE_SECONDS = 1.0


class Leases(ABC):
    """`shared`: processes that do not know of each other may use the store."""

    shared: bool

    @abstractmethod
    def hold(self, name: str) -> int | None:
        """Take the lease, or see that it still is ours; None: another process has it. Raises StoreError.

        The number is another one each time that the lease was taken: somebody may have had it in between.
        """

    @abstractmethod
    def close(self) -> None:
        """Give all of them back."""


def of(place: Place, schema: str) -> Leases:
    """The leases of the store at `place`."""
    return FileLeases(place.parent) if isinstance(place, Path) else SessionLeases(sessions(place, schema), schema)


class FileLeases(Leases):
    """flock(2) on `outbox-NAME.lock` beside the database: the kernel keeps it for as long as the process lives."""

    shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def hold(self, name: str) -> int | None:
        if name in self._held:
            return 1
        try:
            fd = os.open(self._folder / f"outbox-{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"no lease: {error}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        self._held[name] = fd
        return 1

    def close(self) -> None:
        while self._held:
            os.close(self._held.popitem()[1])


class SessionLeases(Leases):
    """Advisory locks of one session. When it is lost, all are: each is asked for again before it is used."""

    shared = True

    def __init__(self, engine: Engine, schema: str) -> None:
        self._engine = engine
        self._schema = schema
        self._connection: Connection | None = None
        self._taken = 0
        self._held: dict[str, int] = {}
        self._one = threading.Lock()

    def hold(self, name: str) -> int | None:
        with self._one:
            try:
                return self._hold(name)
            except DBAPIError as error:
                self._drop()
                raise StoreError(f"no lease: {why(error)}") from error

    def close(self) -> None:
        if self._one.acquire(timeout=CLOSE_SECONDS):  # else a thread waits for a server that hangs: it dies with us
            self._drop()
            self._engine.dispose()

    def _hold(self, name: str) -> int | None:
        if self._connection is None:
            self._connection = self._engine.connect()
        if name in self._held:
            self._connection.exec_driver_sql("SELECT 1").close()
            return self._held[name]
        lock = f"SELECT pg_try_advisory_lock({key(self._schema, 'lease', name)})"
        if not self._connection.exec_driver_sql(lock).scalar_one():
            return None
        self._taken += 1
        self._held[name] = self._taken
        return self._taken

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()
