"""The few questions asked of the table of alerts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from runtime.fixed import fixed
from runtime.payload import Json, dumps
from runtime.store.tables import events
from runtime.webhook.alert import FIELDS

_UNKNOWN: Json = {str(column.name): None for column in events.columns if column.nullable}
_ACCEPTED = or_(events.c.status.is_(None), events.c.status < 400)
_SHOWN = ("qty", "risk_usd", "risk_real_usd")


@fixed
class Origin:
    """Where an alert came from: the caller's address, the name of its key, and the request's id in the log."""

    ip: str
    key: str | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """How many alerts were ever stored, and when the last one came (UTC ISO 8601)."""

    count: int
    last_ts: str | None


def row(alert: Json, ts: str, origin: Origin, **found: Any) -> Json:
    """Every column but the id: an alert, with what was `found` about it (columns of the table's second half)."""
    shown = {name: alert[name] for name in FIELDS} | _UNKNOWN | found
    shown |= {"ip": origin.ip, "key_name": origin.key, "request": origin.request}
    return shown | {"ts": ts, "payload": dumps(alert)}


def recent(connection: Connection, limit: int, outcome: str | None = None) -> list[Json]:
    """The newest `limit` alerts, newest first, as `{...payload, "_id", "_ts", "_ip", ...}`.

    `outcome` None: those that were accepted; `all`: refused ones too; else those with that outcome.
    """
    query = select(events).order_by(events.c.id.desc()).limit(limit)
    if outcome is None:
        query = query.where(_ACCEPTED)
    elif outcome != "all":
        query = query.where(events.c.outcome == outcome)
    return [stamped(row) for row in connection.execute(query)]


def totals(connection: Connection) -> Totals:
    """Counted by the last id: ids have no gaps, and a million rows need not be read."""
    newest = select(events.c.id, events.c.ts).order_by(events.c.id.desc()).limit(1)
    row = connection.execute(newest).first()
    return Totals(row.id, row.ts) if row else Totals(0, None)


def stamped(row: Row[Any]) -> Json:
    """A stored payload with what we know of it; a sender's own `_ts`, `_ip`, `_id` or `qty` gives way."""
    shown = {**json.loads(row.payload), "_ts": row.ts, "_ip": row.ip, "_id": row.id}
    if row.outcome is None:
        return shown
    for name in _SHOWN:
        shown.pop(name, None)
        shown[name] = _tidy(getattr(row, name) or 0.0)
    shown["_outcome"] = row.outcome
    if row.key_name is not None:
        shown["_key"] = row.key_name
    if row.outcome not in ("opened", "recorded"):
        shown["_why"] = row.reason_text
    if row.guards is not None:
        shown["_guards"] = json.loads(row.guards)
    return shown


def _tidy(value: float) -> float:
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
