"""How each sink stands, from a few bounded questions to the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from runtime import clock
from runtime.outbox import deadletters
from runtime.outbox.feeds import JOURNALLED
from runtime.outbox.text import columns
from runtime.payload import Json
from runtime.settings import WebhookSettings
from runtime.store.tables import events, messages, outbox

RETENTION = "retention"
"""Keeps its place in the same table and delivers nothing."""
MOST = 100_000
"""A sink that owes more than this is said to owe this much: counting on would take too long."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One sink. `lag` is the age in seconds of the oldest event it owes, `dead` counts what it refused for good."""

    sink: str
    delivered: int
    pending: int
    lag: float
    error: str | None
    failing_since: str | None
    attempts: int
    dead: int

    @property
    def is_well(self) -> bool:
        return self.error is None and self.failing_since is None and not self.dead

    def shown(self) -> Json:
        return {
            "delivered": self.delivered,
            "pending": self.pending,
            "lag_sec": round(self.lag, 3),
            "error": self.error,
            "failing_since": self.failing_since,
            "attempts": self.attempts,
            "dead": self.dead,
        }


def read(connection: Connection, sinks: Iterable[str], now: datetime) -> list[Standing]:
    """Each of `sinks`, in that order; one that never delivered anything owes everything."""
    rows = {row.sink: row for row in connection.execute(select(outbox))}
    dead = deadletters.counts(connection)
    return [_standing(connection, sink, rows.get(sink), dead.get(sink, 0), now) for sink in sinks]


def known(connection: Connection, settings: WebhookSettings) -> list[str]:
    """The sinks of tv-webhook, and whatever else delivers from its store."""
    own = ("journal", "jsonl", "perf", RETENTION)
    wanted = ["journal", *(["jsonl"] if settings.jsonl is not None else []), "perf"]
    return wanted + [name for name in connection.execute(select(outbox.c.sink)).scalars() if name not in own]


def settled(connection: Connection, sinks: Iterable[str]) -> int:
    """The last event that every one of `sinks` is done with. What perf still owes is kept in messages of its own."""
    upto = int(connection.execute(select(func.max(events.c.id))).scalar() or 0)
    rows = {row.sink: row.delivered for row in connection.execute(select(outbox.c.sink, outbox.c.delivered))}
    for sink in sinks:
        oldest = None if sink == "perf" else connection.execute(_owed(sink, rows.get(sink, 0)).limit(1)).first()
        upto = min(upto, oldest.id - 1) if oldest is not None else upto
    return upto


def late(standings: Iterable[Standing], most: float) -> dict[str, str]:
    """Sinks that are more than `most` seconds behind, each with how far and why."""
    behind = {one.sink: one for one in standings if one.lag > most}
    return {
        name: f"{one.lag:.0f} s behind, {one.pending} to deliver" + (f": {one.error}" if one.error else "")
        for name, one in behind.items()
    }


def table(standings: Iterable[Standing]) -> str:
    """For people: one line a sink."""
    head = ("sink", "delivered", "pending", "lag", "failing since", "attempts", "dead", "error")
    return columns(head, [_cells(one) for one in standings])


def _cells(one: Standing) -> tuple[object, ...]:
    lag = f"{one.lag:.0f} s"
    return one.sink, one.delivered, one.pending, lag, one.failing_since, one.attempts, one.dead, one.error


def _standing(connection: Connection, sink: str, row: Row[Any] | None, dead: int, now: datetime) -> Standing:
    delivered = row.delivered if row is not None else 0
    owed = _owed(sink, delivered)
    oldest = connection.execute(owed.limit(1)).first()
    pending = _count(connection, owed) if oldest else 0
    lag = max(0.0, (now - clock.from_iso(oldest.ts)).total_seconds()) if oldest else 0.0
    return Standing(
        sink=sink,
        delivered=delivered,
        pending=pending,
        lag=lag,
        error=row.error if row is not None else None,
        failing_since=row.failing_since if row is not None else None,
        attempts=row.attempts if row is not None else 0,
        dead=dead,
    )


def _owed(sink: str, delivered: int) -> Select[Any]:
    """(id, ts) of what comes after `delivered`, oldest first. Of perf: messages, with the time of their events."""
    if sink == "perf":
        query = select(messages.c.id, events.c.ts).join(events, events.c.id == messages.c.event_id, isouter=True)
        return query.where(messages.c.id > delivered).order_by(messages.c.id)
    query = select(events.c.id, events.c.ts).where(events.c.id > delivered).order_by(events.c.id)
    return query.where(JOURNALLED) if sink == "journal" else query


def _count(connection: Connection, owed: Select[Any]) -> int:
    return int(connection.execute(select(func.count()).select_from(owed.limit(MOST).subquery())).scalar_one())
