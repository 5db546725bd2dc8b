"""Old alerts keep what is known about them and lose the rest of what their senders wrote: a setting, off by default.

A thread of its own works through them from the oldest on, a few rows a transaction, and rests between: the store has
one writer, and an alert that comes meanwhile must not notice. What a sink has not been delivered yet is never touched.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from runtime import clock
from runtime.journal.outbox import Progress, load, save
from runtime.outbox import status
from runtime.outbox.delivery import Deliverer
from runtime.payload import Json
from runtime.store import Store, StoreError
from runtime.store.tables import dead_letters, events, outbox
from runtime.webhook.schema import ALERT_FIELDS

SINK = status.RETENTION
SCAN = 400  # rows looked at for one transaction
LEAST, MOST = 8, 128  # rows changed in it
HELD_SECONDS = 0.010  # what a transaction should take; twice that is the promise
LONGEST = 128  # characters of a field that may be anything

KEPT = ALERT_FIELDS | {"time", "field"}
_CHANGE = update(events).where(events.c.id == bindparam("event")).values(payload=bindparam("text"))

log = logging.getLogger("runtime.retention")


class Retention(Deliverer):
    """Its cursor in the table `outbox` is the last event that was looked at."""

    name = SINK
    log = log
    expected = (StoreError,)
    recovered = "old alerts are reduced again"
    gather = 0.05

    def __init__(
        self,
        store: Store,
        sinks: Callable[[Connection], list[str]],
        days: float,
    ) -> None:
        super().__init__(store)
        self._sinks = sinks
        self._days = days
        self._size = LEAST
        self._idle = 60.0

    def deliver(self) -> bool:
        """One transaction; False when nothing is old enough. Raises StoreError."""
        before = clock.iso(clock.now() - timedelta(days=self._days))
        with self._store.read() as connection:
            done = load(connection, outbox, SINK).delivered
            rows = _old(connection, done, status.settled(connection, self._sinks(connection)), before)
        upto, changes = self._changes(rows)
        if upto:
            self._commit(lambda connection: self._write(connection, upto, changes))
        return bool(upto)

    def _changes(self, rows: list[Any]) -> tuple[int, list[Json]]:
        """(the last row that was looked at, what is to change): as many as a transaction has room for."""
        upto, changes = 0, list[Json]()
        for row in rows:
            text = reduced(row.payload)
            if text != row.payload:
                changes.append({"event": row.id, "text": text})
            upto = row.id
            if len(changes) >= self._size:
                break
        return upto, changes

    def _write(self, connection: Connection, upto: int, changes: list[Json]) -> None:
        begun = clock.steady()
        if changes:
            connection.execute(_CHANGE, changes)
        save(connection, outbox, SINK, Progress(upto, None))
        took = clock.steady() - begun
        grown = self._size // 2 if took > HELD_SECONDS else self._size + self._size // 4
        self._size = min(MOST, max(LEAST, grown))


def reduced(text: str) -> str:
    """A stored payload with nothing in it but the fields we know. One that cannot be read is left as it is."""
    try:
        given: Json = json.loads(text)
        kept = {name: _short(name, value) for name, value in given.items() if name in KEPT}
    except (ValueError, AttributeError, RecursionError):
        return text
    return text if kept == given else json.dumps(kept, ensure_ascii=False, allow_nan=False)


def _short(name: str, value: Any) -> Any:
    """`ts` and the like may hold anything; a reason is text of any length, which the alert's own column keeps too."""
    if name == "reason" or value is None or isinstance(value, bool | int | float):
        return value
    return value[:LONGEST] if isinstance(value, str) else None


def _old(connection: Connection, after: int, upto: int, before: str) -> list[Any]:
    """The next rows, up to the first that is too young; dead letters wait to be sent again, so they stay whole."""
    held = select(dead_letters.c.ref).where(dead_letters.c.sink != "perf")
    query = select(events.c.id, events.c.ts, events.c.payload).where(events.c.id > after, events.c.id <= upto)
    rows = connection.execute(query.where(events.c.id.not_in(held)).order_by(events.c.id).limit(SCAN)).all()
    young = next((i for i, row in enumerate(rows) if row.ts >= before), len(rows))
    return list(rows[:young])
