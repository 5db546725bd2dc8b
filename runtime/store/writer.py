"""Group commit: writes that arrive while one transaction is being synced share the next one.

A write is a function of a Connection. It runs on the writer's thread, once more when another write of its transaction
failed, and its future resolves only after COMMIT has returned: an answer given after that is as durable as the disk.

Writes of one kind may share more than the COMMIT: `submit_item` queues an item for a function that takes all items that
wait together, so that it asks and writes once for all of them. While several keep coming, a transaction waits for as
many as the last one had, at most GATHER_SECONDS: that costs an alert less than the transactions which it saves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError, SQLAlchemyError

from runtime import clock
from runtime.fixed import fixed
from runtime.meter import Histogram
from runtime.store.errors import StoreError, why

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item
Write = Callable[[Connection], T]
"""Depends on nothing but the store, since it may run twice; only what the last run did is kept."""
WriteMany = Callable[[Connection, Sequence[I]], Sequence[T]]
"""Items in the order they came, to one result for each."""

# One write's own fault: these undo that write alone. Any other database error may have ended the whole transaction.
_OWN_FAULT = (IntegrityError, DataError, ProgrammingError, InterfaceError)

GATHER_SECONDS = 0.002
GATHER_STEPS = 4

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_WRITES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

log = logging.getLogger("runtime.store")


@fixed
class _Job:
    """`many` None: `item` is a Write that runs by itself. `reply` is the future of a thread or of an event loop."""

    many: WriteMany[Any, Any] | None
    item: Any
    reply: Future[Any] | asyncio.Future[Any]

    def starts(self) -> bool:
        """False when nobody waits for it any more."""
        if isinstance(self.reply, Future):
            return self.reply.set_running_or_notify_cancel()
        return not self.reply.done()


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class CommitMeter:
    """What the writer's thread counts: seconds and writes of each transaction, and transactions that failed."""

    def __init__(self) -> None:
        self.seconds = Histogram(_SECONDS)
        self.writes = Histogram(_WRITES)
        self.failures = 0

    def committed(self, writes: int, seconds: float) -> None:
        self.seconds.observe(seconds)
        self.writes.observe(writes)


class Writer:
    """One thread, one connection, one transaction for all that is queued (at most `batch` writes)."""

    def __init__(self, engine: Engine, *, batch: int = 512, limit: int = 10_000) -> None:
        self._engine = engine
        self._batch = batch
        self._limit = limit
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._connection: Connection | None = None
        self.meter = CommitMeter()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Writes in the queue."""
        return self._queue.qsize()

    def submit(self, write: Write[T]) -> Future[T]:
        """Queue a write. The future gives its result after COMMIT, its own exception, or StoreError.

        Cancelling the future before its transaction starts removes the write. Raises StoreError when `limit` writes
        wait already, or when the writer is closed.
        """
        future: Future[T] = Future()
        self._put(_Job(None, write, future))
        return future

    def submit_item(self, many: WriteMany[I, T], item: I) -> asyncio.Future[T]:
        """Queue `item` for `many`, from an event loop; the future is that loop's. Otherwise like `submit`.

        When `many` fails, each of its items is tried once more by itself, so that one cannot undo the others.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(_Job(many, item, future))
        return future

    def close(self, timeout: float = 3.0) -> None:
        """Commit what is queued, then stop. Waits at most `timeout` seconds."""
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout)

    def _put(self, job: _Job) -> None:
        if self._closed or not self.alive:
            raise StoreError("the store is closed")
        if self._queue.qsize() >= self._limit:
            raise StoreError(f"{self._limit} writes are waiting")
        self._queue.put(job)

    def _work(self) -> None:
        running, before = True, 1
        while running:
            waiting = self._take(before)
            before = len(waiting)
            jobs = [job for job in waiting if job is not None]
            running = len(jobs) == len(waiting)
            self._settle([job for job in jobs if job.starts()])
        self._disconnect()

    def _take(self, before: int) -> list[_Job | None]:
        """What waits, and what comes within a moment when the last transaction had several (`before`)."""
        waiting = [self._queue.get()]
        for _ in range(GATHER_STEPS):
            if self._queue.qsize() + 1 >= before:
                break
            time.sleep(GATHER_SECONDS / GATHER_STEPS)
        while len(waiting) < self._batch and not self._queue.empty():
            waiting.append(self._queue.get())
        return waiting

    def _settle(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        begun = clock.steady()
        try:
            outcomes = self._commit(jobs)
            self.meter.committed(len(jobs), clock.steady() - begun)
        except Exception as error:
            self.meter.failures += 1
            self._disconnect()
            reason = why(error)
            log.error("%d writes not stored: %s", len(jobs), reason)
            outcomes = [_Failed(StoreError(reason)) for _ in jobs]
        _reply(zip(jobs, outcomes, strict=True))

    def _commit(self, jobs: list[_Job]) -> list[Any]:
        """Savepoints cost more than most writes: only when one write fails by itself are all tried again with them."""
        try:
            with self._begin() as begun:
                return list(_run_all(begun.connection, jobs, _run))
        except Exception as error:
            if not _is_own_fault(error):
                raise
        with self._begin() as begun:
            return list(_run_all(begun.connection, jobs, _run_apart))

    def _begin(self) -> RootTransaction:
        """On the same connection as ever; one that died while nothing was asked of it is made anew, once."""
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            return self._connection.begin()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        self._disconnect()
        self._connection = self._engine.connect()
        return self._connection.begin()

    def _disconnect(self) -> None:
        """The next transaction starts on a fresh connection: this one may be what is broken."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.close()


def _run_all(connection: Connection, jobs: list[_Job], run: Callable[[Connection, Write[Any]], Any]) -> Iterator[Any]:
    """One outcome for each job, in their order."""
    for many, group in groupby(jobs, key=lambda job: job.many):
        if many is None:
            yield from (run(connection, job.item) for job in group)
        else:
            yield from _run_many(connection, many, [job.item for job in group], run)


def _run_many(
    connection: Connection, many: WriteMany[Any, Any], items: list[Any], run: Callable[[Connection, Write[Any]], Any]
) -> Sequence[Any]:
    together = run(connection, lambda same: many(same, items))
    if not isinstance(together, _Failed):
        return list(together)
    if len(items) == 1:
        return [together]
    return [outcome for item in items for outcome in _run_many(connection, many, [item], run)]


def _run(connection: Connection, write: Write[Any]) -> Any:
    return write(connection)


def _run_apart(connection: Connection, write: Write[Any]) -> Any:
    """The write's result, or `_Failed` when it failed by itself and its savepoint was rolled back."""
    try:
        with connection.begin_nested():
            return write(connection)
    except Exception as error:
        if not _is_own_fault(error):
            raise
        return _Failed(error)


def _is_own_fault(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return True
    return isinstance(error, _OWN_FAULT) and not error.connection_invalidated


def _reply(settled: Iterable[tuple[_Job, Any]]) -> None:
    """Each event loop is woken once for all of its futures."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, outcome in settled:
        if isinstance(job.reply, Future):
            _resolve(job.reply, outcome)
        else:
            loops.setdefault(job.reply.get_loop(), []).append((job.reply, outcome))
    for loop, pairs in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve_all, pairs)
        except RuntimeError:  # the loop is closed: nobody is left to hear it
            log.warning("%d writes were stored after their loop had ended", len(pairs))


def _resolve_all(pairs: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in pairs:
        if not future.done():
            _resolve(future, outcome)


def _resolve(future: Future[Any] | asyncio.Future[Any], outcome: Any) -> None:
    if isinstance(outcome, _Failed):
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome)
