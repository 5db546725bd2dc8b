"""The store of one service: reads that see one moment, writes that are committed in groups before they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from runtime.store import engine, lease, pulse, schema, upsert
from runtime.store.engine import Place
from runtime.store.errors import StoreError, why
from runtime.store.pulse import Pulse
from runtime.store.schema import Schema
from runtime.store.writer import CommitMeter, Write, WriteMany, Writer
from runtime.time_limit import TimeLimit

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item

# TradingView hangs up after 3 s: this and the engine's limits together must leave it a 503 it can act on.
WRITE_SECONDS = 2.0


class Store:
    """One database: `read()` for queries, `write()` or `submit()` for group-committed writes."""

    def __init__(self, place: Place, wanted: Schema) -> None:
        """Open `place` (a file, or a PostgreSQL URL), made or brought forward to the schema that is wanted.

        Raises StoreError when it cannot be opened and written.
        """
        self._probe = wanted.metadata.tables["store_probe"]
        self._readers = engine.readers(place, wanted.name)
        self._writers = engine.writers(place, wanted.name)
        try:
            self.move = schema.forward(self._writers, wanted)
        except SQLAlchemyError as error:
            self._dispose()
            raise StoreError(f"cannot open {engine.named(place)}: {why(error)}") from error
        self._place, self._file = place, engine.file(place)
        self.leases = lease.of(place, wanted.name)
        self._writer = Writer(self._writers)
        self._limit: TimeLimit[asyncio.Future[Any]] = TimeLimit(WRITE_SECONDS, _too_late)

    @property
    def alive(self) -> bool:
        """False when only a new process can store again: the writer's thread has ended, or another file took the place.

        A disk that broke is mended by another in its place. Opening that one from here is no way: SQLite, closing the
        old file, would delete the log beside the new one, and what was committed in it.
        """
        return self._writer.alive and engine.file(self._place) in (None, self._file)

    @property
    def meter(self) -> CommitMeter:
        """What its writer counted."""
        return self._writer.meter

    @property
    def waiting(self) -> int:
        """Writes that wait for their transaction."""
        return self._writer.waiting

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection inside one read transaction: a consistent view, never blocked by writes. Raises StoreError."""
        try:
            with self._readers.begin() as connection:
                yield connection
        except (DBAPIError, PoolTimeout) as error:
            raise StoreError(why(error)) from error

    def pulse(self) -> Pulse:
        """Tells when the store may have changed, whichever process changed it. Raises StoreError."""
        return pulse.of(self._place)

    def submit(self, write: Write[T]) -> Future[T]:
        """Queue a write from any thread; see `Writer.submit`."""
        return self._writer.submit(write)

    async def write(self, write: Write[T], *, timeout: float = WRITE_SECONDS) -> T:
        """The write's result, after COMMIT. Raises what the write raised, or StoreError (also after `timeout` s)."""
        return await _within(timeout, asyncio.wrap_future(self.submit(write)))

    def write_item(self, many: WriteMany[I, T], item: I) -> asyncio.Future[T]:
        """Like `write`, for an item that `many` takes together with the others that wait."""
        future = self._writer.submit_item(many, item)
        self._limit.watch(future)
        return future

    async def probe(self) -> None:
        """Commit a real row, so that a full or read-only disk shows. Raises StoreError."""
        row = {"id": 1, "count": 1}
        await self.write(lambda connection: upsert.put(connection, self._probe, row, add=("count",)))

    def close(self) -> None:
        """Commit what is queued and close every connection."""
        self._writer.close()
        self.leases.close()
        self._dispose()

    def _dispose(self) -> None:
        self._readers.dispose()
        self._writers.dispose()


def _too_late(future: asyncio.Future[Any]) -> None:
    future.set_exception(StoreError(f"no commit within {WRITE_SECONDS:g} s"))


async def _within(seconds: float, future: asyncio.Future[T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await future
    except TimeoutError:
        raise StoreError(f"no commit within {seconds:g} s") from None
