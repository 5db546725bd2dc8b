"""Opening the SQLite file: every acknowledged write must survive a power cut, and readers never wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, create_engine, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from runtime.store.migrate import Step, migrate
from runtime.store.writer import StoreError, Write, Writer

T = TypeVar("T")

# TradingView hangs up after 3 s: both limits together must leave it a 503 it can act on.
BUSY_MS = 1000
WRITE_SECONDS = 2.0

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # in WAL mode NORMAL does not sync at commit: a power cut would lose acknowledged rows
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA journal_size_limit=67108864",
)


class Store:
    """One database file: `read()` for queries, `write()` or `submit()` for group-committed writes."""

    def __init__(self, path: Path, metadata: MetaData, steps: Sequence[Step] = ()) -> None:
        """Open or create `path` with `metadata`'s tables, older files brought forward by `steps`.

        Raises StoreError when it cannot be opened and written.
        """
        self._probe = _probe_table(metadata)
        self._readers = _engine(path, "BEGIN")
        self._writers = _engine(path, "BEGIN IMMEDIATE")
        try:
            with self._writers.begin() as connection:
                migrate(connection, metadata, steps)
        except SQLAlchemyError as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"cannot open {path}: {reason}") from error
        self._writer = Writer(self._writers)

    @property
    def alive(self) -> bool:
        """False once the writer's thread has ended: nothing can be stored any more."""
        return self._writer.alive

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection inside one read transaction: a consistent view, never blocked by writes. Raises StoreError."""
        try:
            with self._readers.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreError(str(error.orig)) from error

    def submit(self, write: Write[T]) -> Future[T]:
        """Queue a write from any thread; see `Writer.submit`."""
        return self._writer.submit(write)

    async def write(self, write: Write[T], *, timeout: float = WRITE_SECONDS) -> T:
        """The write's result, after COMMIT. Raises what the write raised, or StoreError (also after `timeout` s)."""
        future = self.submit(write)
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise StoreError(f"no commit within {timeout:g} s") from None

    async def probe(self) -> None:
        """Commit a real row, so that a full or read-only disk shows. Raises StoreError."""
        statement = insert(self._probe).values(id=1, count=1)
        bump = statement.on_conflict_do_update(index_elements=["id"], set_={"count": self._probe.c.count + 1})
        await self.write(lambda connection: connection.execute(bump).rowcount)

    def close(self) -> None:
        """Commit what is queued and close every connection."""
        self._writer.close()
        self._readers.dispose()
        self._writers.dispose()


def _probe_table(metadata: MetaData) -> Table:
    if "store_probe" in metadata.tables:
        return metadata.tables["store_probe"]
    columns = Column("id", Integer, primary_key=True), Column("count", Integer, nullable=False)
    return Table("store_probe", metadata, *columns)


def _engine(path: Path, begin: str) -> Engine:
    """An engine whose transactions start with `begin`; parameters (payloads) never appear in its error messages."""
    options = {"timeout": BUSY_MS / 1000}
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True, pool_size=4, connect_args=options)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for savepoints and reads
        for pragma in PRAGMAS:
            connection.execute(pragma).close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
