"""Group commit: writes that arrive while one transaction is being synced share the next one.

A write is a function of a Connection. It runs on the writer's thread inside a savepoint of its own, and its future
resolves only after COMMIT has returned, so an answer given after the future is as durable as the disk.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError

from runtime.store.errors import StoreError, why

T = TypeVar("T")
Write = Callable[[Connection], T]

# One write's own fault: these undo that write alone. Any other database error may have ended the whole transaction.
_OWN_FAULT = (IntegrityError, DataError, ProgrammingError, InterfaceError)

log = logging.getLogger("runtime.store")


@dataclass(frozen=True, slots=True)
class _Job:
    write: Write[Any]
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class Writer:
    """One thread, one connection, one transaction for all that is queued (at most `batch` writes)."""

    def __init__(self, engine: Engine, *, batch: int = 512, limit: int = 10_000) -> None:
        self._engine = engine
        self._batch = batch
        self._limit = limit
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, write: Write[T]) -> Future[T]:
        """Queue a write. The future gives its result after COMMIT, its own exception, or StoreError.

        Cancelling the future before its transaction starts removes the write. Raises StoreError when `limit` writes
        wait already, or when the writer is closed.
        """
        if self._closed or not self.alive:
            raise StoreError("the store is closed")
        if self._queue.qsize() >= self._limit:
            raise StoreError(f"{self._limit} writes are waiting")
        future: Future[T] = Future()
        self._queue.put(_Job(write, future))
        return future

    def close(self, timeout: float = 3.0) -> None:
        """Commit what is queued, then stop. Waits at most `timeout` seconds."""
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        running = True
        while running:
            waiting = [self._queue.get()]
            while len(waiting) < self._batch and not self._queue.empty():
                waiting.append(self._queue.get())
            jobs = [job for job in waiting if job is not None]
            running = len(jobs) == len(waiting)
            self._settle([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _settle(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        try:
            outcomes = self._commit(jobs)
        except Exception as error:
            reason = why(error)
            log.error("%d writes not stored: %s", len(jobs), reason)
            outcomes = [_Failed(StoreError(reason)) for _ in jobs]
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, _Failed):
                job.future.set_exception(outcome.error)
            else:
                job.future.set_result(outcome)

    def _commit(self, jobs: list[_Job]) -> list[Any]:
        with self._engine.begin() as connection:
            return [_run(connection, job.write) for job in jobs]


def _run(connection: Connection, write: Write[Any]) -> Any:
    """The write's result, or `_Failed` when it failed by itself and its savepoint was rolled back."""
    try:
        with connection.begin_nested():
            return write(connection)
    except _OWN_FAULT as error:
        return _Failed(error)
    except DBAPIError:
        raise
    except Exception as error:
        return _Failed(error)
