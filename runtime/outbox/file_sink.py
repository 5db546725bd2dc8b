"""Delivers committed events to a file, in order, each exactly once, at its own pace: journal.md, events.jsonl.

A file that is full, locked or read-only delays itself only: events stay in the store and are tried again. An event that
cannot be put into words becomes a dead letter and holds up nobody.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, Row, Table

from runtime import clock
from runtime.journal.file import JournalError, open_journal
from runtime.journal.outbox import Intent, Progress, load, save
from runtime.outbox import deadletters
from runtime.outbox.delivery import Deliverer
from runtime.store import Store, StoreError

BATCH = 256
GATHER_SECONDS = 0.05  # each batch costs three syncs: a pause makes batches, and leaves the disk to the alerts
BATCH_CHARS = 256 * 1024
PASSED = 1000  # events that do not concern the file: after so many, the next look begins behind them

log = logging.getLogger("runtime.journal")


@dataclass(frozen=True, slots=True)
class Feed:
    """What a file is told, and how.

    `after(connection, id, limit)` gives the next rows, oldest first; `these(connection, ids)` those again that became
    dead letters; `newest(connection)` is the last event's id, whether it concerns this file or not; `render` makes an
    entry of a row (which has an `id`).
    """

    after: Callable[[Connection, int, int], list[Row[Any]]]
    these: Callable[[Connection, list[int]], list[Row[Any]]]
    newest: Callable[[Connection], int]
    render: Callable[[Row[Any]], str]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Entries to append up to event `upto`, and why the others among them cannot be."""

    upto: int
    entries: tuple[str, ...] = ()
    refs: tuple[int, ...] = ()
    dead: dict[int, str] | None = None


class FileWorker(Deliverer):
    """Moves events from the store to a file; stopping lets it finish the batch under way."""

    expected = (OSError, JournalError, StoreError)
    part: ClassVar[str] = ""
    """What stands before each entry."""

    def __init__(self, store: Store, table: Table, feed: Feed, path: Path) -> None:
        super().__init__(store)
        self._table = table
        self._feed = feed
        self._path = path

    def deliver(self) -> bool:
        """One batch; False when nothing was waiting. Raises JournalError, StoreError, OSError: safe to call again."""
        self._check_writable()
        with self._store.read() as connection:
            progress = load(connection, self._table, self.name)
            batch = self._next(connection, progress.delivered) if progress.intent is None else None
        if progress.intent is not None:
            with open_journal(self._path, self.part) as journal:
                journal.finish(progress.intent)
            self._settle(progress.intent)
        elif batch is not None:
            self.before(progress.delivered)
            self._append(progress.delivered, batch)
        return progress.intent is not None or batch is not None

    def _check_writable(self) -> None:
        """Asked when nothing waits, too: who looks must not have to wait for an alert to learn it."""
        if self._path.exists() and not self._path.is_file():
            raise JournalError(f"{self._path} is not a regular file")
        if not os.access(self._path if self._path.exists() else self._path.parent, os.W_OK):
            raise JournalError(f"{self._path} is not writable")

    def before(self, delivered: int) -> None:
        """Called before each batch, when all events up to `delivered` are in the file and no entry is under way."""

    def _next(self, connection: Connection, delivered: int) -> _Batch | None:
        """What is to be written now; dead letters that an operator wants sent again come first, oldest first."""
        refs = deadletters.wanted(connection, self.name, BATCH)
        if refs:
            return self._render(self._feed.these(connection, refs), delivered, refs)
        rows = self._feed.after(connection, delivered, BATCH)
        if rows:
            return self._render(rows, delivered)
        newest = self._feed.newest(connection)
        return _Batch(newest) if newest - delivered >= PASSED else None

    def _render(self, rows: Iterable[Row[Any]], delivered: int, wanted: list[int] | None = None) -> _Batch:
        """Up to about BATCH_CHARS, at least one row: the intent is stored with the texts."""
        texts, dead, size, last = dict[int, str](), dict[int, str](), 0, delivered
        for row in rows:
            last = row.id
            try:
                texts[row.id] = self._feed.render(row)
            except Exception as error:  # whatever it is, it would be there the next time too
                dead[row.id] = f"{type(error).__name__}: {error}"
                self.log.error("event %d cannot be written to %s: %s", row.id, self._path, dead[row.id])
            size += len(texts.get(row.id, ""))
            if size >= BATCH_CHARS:
                break
        if wanted is None:
            return _Batch(last, tuple(texts.values()), (), dead)
        gone = {ref: "the event is not in the store" for ref in wanted if ref <= last and ref not in texts}
        return _Batch(delivered, tuple(texts.values()), tuple(texts), gone | dead)

    def _append(self, delivered: int, batch: _Batch) -> None:
        if not batch.entries:
            self._remember(Progress(batch.upto, None), batch.dead)
            return
        with open_journal(self._path, self.part) as journal:
            intent = journal.intend(batch.upto, batch.entries, batch.refs)
            self._remember(Progress(delivered, intent), batch.dead)
            journal.append(intent.blob)
        self._settle(intent)

    def _settle(self, intent: Intent) -> None:
        self._remember(Progress(intent.upto, None), done=intent.refs)

    def _remember(self, progress: Progress, dead: dict[int, str] | None = None, done: tuple[int, ...] = ()) -> None:
        ts = clock.iso(clock.now())

        def write(connection: Connection) -> None:
            save(connection, self._table, self.name, progress)
            deadletters.bury(connection, self.name, dead or {}, ts)
            deadletters.forget(connection, self.name, done)

        self._commit(write)


class JournalWorker(FileWorker):
    """journal.md: a blank line parts each entry from the one before."""

    name = "journal"
    log = log
    recovered = "journal is written again"
    gather = GATHER_SECONDS
    part = "\n"
