"""Delivers committed events to journal.md, in order, each exactly once, at its own pace.

A journal that is full, locked or read-only delays itself only: events stay in the store and are tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Table

from runtime.delivery import Deliverer
from runtime.journal.file import JournalError, open_journal
from runtime.journal.outbox import Intent, Progress, load, save
from runtime.store import Store, StoreError

Entries = Callable[[Connection, int, int], list[tuple[int, str]]]
"""(connection, after id, at most) -> the next (id, text) of each event, oldest first."""

SINK = "journal"
BATCH = 256
GATHER_SECONDS = 0.05  # each batch costs three syncs: a pause makes batches, and leaves the disk to the alerts
BATCH_CHARS = 256 * 1024

log = logging.getLogger("runtime.journal")


class JournalWorker(Deliverer):
    """Moves events from the store to the journal; stopping lets it finish the batch under way."""

    name = "journal"
    log = log
    expected = (OSError, JournalError, StoreError)
    recovered = "journal is written again"
    gather = GATHER_SECONDS

    def __init__(self, store: Store, table: Table, entries: Entries, path: Path) -> None:
        super().__init__(store)
        self._table = table
        self._entries = entries
        self._path = path

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
        self._commit(lambda connection: save(connection, self._table, SINK, progress))


def _some(batch: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The first entries of `batch`, at least one, up to about BATCH_CHARS: the intent is stored with them."""
    size = 0
    for taken, (_, text) in enumerate(batch, start=1):
        size += len(text)
        if size >= BATCH_CHARS:
            return batch[:taken]
    return batch
