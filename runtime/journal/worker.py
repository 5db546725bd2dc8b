"""Delivers committed events to journal.md, in order, each exactly once, at its own pace.

A journal that is full, locked or read-only delays itself only: events stay in the store and are tried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Table

from runtime.journal.file import JournalError, open_journal
from runtime.journal.outbox import Intent, Progress, load, save
from runtime.store import Store, StoreError

T = TypeVar("T")
Entries = Callable[[Connection, int, int], list[tuple[int, str]]]
"""(connection, after id, at most) -> the next (id, text) of each event, oldest first."""

SINK = "journal"
BATCH = 256
GATHER_SECONDS = 0.05  # each batch costs three syncs: a pause makes batches, and leaves the disk to the alerts
BATCH_CHARS = 256 * 1024
IDLE_SECONDS = 5.0
COMMIT_SECONDS = 10.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

log = logging.getLogger("runtime.journal")


class JournalWorker:
    """A thread that moves events from the store to the journal. `error` says why the last attempt failed, or None."""

    def __init__(self, store: Store, table: Table, entries: Entries, path: Path) -> None:
        self._store = store
        self._table = table
        self._entries = entries
        self._path = path
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self.error: str | None = None

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the store."""
        self._wake.set()

    def stop(self, timeout: float = 2.0) -> None:
        """Finish the batch under way; the rest waits in the store for the next start."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout)

    def delivered(self, connection: Connection) -> int:
        """The id of the last event known to be in the journal."""
        return load(connection, self._table, SINK).delivered

    def deliver(self) -> bool:
        """One batch; False when nothing was waiting. Raises JournalError, StoreError, OSError: safe to call again."""
        with self._store.read() as connection:
            progress = load(connection, self._table, SINK)
            batch = _some(self._entries(connection, progress.delivered, BATCH)) if progress.intent is None else []
        if progress.intent is not None:
            with open_journal(self._path) as journal:
                journal.finish(progress.intent)
            self._settle(progress.intent)
            return True
        if batch:
            self._append(progress.delivered, batch)
        return bool(batch)

    def _append(self, delivered: int, batch: list[tuple[int, str]]) -> None:
        with open_journal(self._path) as journal:
            intent = journal.intend(batch[-1][0], tuple(text for _, text in batch))
            self._remember(Progress(delivered, intent))
            journal.append(intent.blob)
        self._settle(intent)

    def _settle(self, intent: Intent) -> None:
        self._remember(Progress(intent.upto, None))

    def _remember(self, progress: Progress) -> None:
        done = self._store.submit(lambda connection: save(connection, self._table, SINK, progress))
        try:
            done.result(COMMIT_SECONDS)
        except TimeoutError:
            raise StoreError(f"no commit within {COMMIT_SECONDS:g} s") from None

    def _work(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                more = self.deliver()
            except Exception as error:
                self._failed(error)
                self._stopping.wait(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
                failures += 1
                continue
            self._recovered()
            failures = 0
            if more:
                self._stopping.wait(GATHER_SECONDS)
            else:
                self._wake.wait(IDLE_SECONDS)

    def _failed(self, error: Exception) -> None:
        expected = isinstance(error, OSError | JournalError | StoreError)
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        if reason != self.error:
            log.error("journal delayed: %s", reason, exc_info=None if expected else error)
        self.error = reason

    def _recovered(self) -> None:
        if self.error is not None:
            log.info("journal is written again")
        self.error = None


def _some(batch: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The first entries of `batch`, at least one, up to about BATCH_CHARS: the intent is stored with them."""
    size = 0
    for taken, (_, text) in enumerate(batch, start=1):
        size += len(text)
        if size >= BATCH_CHARS:
            return batch[:taken]
    return batch
