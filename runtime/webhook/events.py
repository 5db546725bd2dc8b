"""The table of alerts, and the few questions asked of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Float, Integer, MetaData, Table, Text, func, insert, select

from runtime.journal.outbox import outbox_table
from runtime.payload import Json
from runtime.webhook.alert import Alert

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ts", Text, nullable=False),  # UTC, ISO 8601, when the alert arrived
    Column("ip", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("tf", Text, nullable=False),
    Column("price", Float),
    Column("tp", Float),
    Column("sl", Float),
    Column("reason", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON, without the key
    sqlite_autoincrement=True,  # an id is never given twice, so a cursor can trust it
)
outbox = outbox_table(metadata)

_INSERT = insert(events).returning(events.c.id)


@dataclass(frozen=True, slots=True)
class Totals:
    """How many alerts were ever stored, and when the last one came (UTC ISO 8601)."""

    count: int
    last_ts: str | None


def add(connection: Connection, alert: Alert, ts: str, ip: str) -> int:
    """Store an alert; returns its id."""
    payload = alert.payload()
    row = {name: payload[name] for name in ("engine", "signal", "symbol", "tf", "price", "tp", "sl", "reason")}
    row |= {"ts": ts, "ip": ip, "payload": json.dumps(payload, ensure_ascii=False, allow_nan=False)}
    return int(connection.execute(_INSERT, row).scalar_one())


def recent(connection: Connection, limit: int) -> list[Json]:
    """The newest `limit` alerts, newest first, as `{...payload, "_id", "_ts", "_ip"}`."""
    rows = connection.execute(select(events).order_by(events.c.id.desc()).limit(limit))
    return [stamped(row.payload, row.id, row.ts, row.ip) for row in rows]


def totals(connection: Connection) -> Totals:
    """Counted by the last id: ids have no gaps, and a million rows need not be read."""
    newest = select(events.c.id, events.c.ts).order_by(events.c.id.desc()).limit(1)
    row = connection.execute(newest).first()
    return Totals(row.id, row.ts) if row else Totals(0, None)


def journal_entries(connection: Connection, after: int, limit: int) -> list[tuple[int, Json]]:
    """The next `limit` alerts after id `after`, oldest first, as (id, stamped payload)."""
    query = select(events).where(events.c.id > after).order_by(events.c.id).limit(limit)
    rows = connection.execute(query)
    return [(row.id, stamped(row.payload, row.id, row.ts, row.ip)) for row in rows]


def pending(connection: Connection, after: int) -> int:
    """How many alerts have an id above `after`."""
    return int(connection.execute(select(func.count()).where(events.c.id > after)).scalar_one())


def stamped(payload: str, event_id: int, ts: str, ip: str) -> Json:
    """A stored payload with what we know of it; a sender's own `_ts`, `_ip` or `_id` gives way."""
    return {**json.loads(payload), "_ts": ts, "_ip": ip, "_id": event_id}
