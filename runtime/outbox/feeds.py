"""What journal.md and events.jsonl are told of the stored alerts, and how each looks there."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, true

from runtime.journal.entry import render
from runtime.outbox.file_sink import Feed
from runtime.store.tables import events
from runtime.webhook.events import stamped

_IS_QUIET = (events.c.event_type == "BAR") & (events.c.outcome != "closed")  # one comes every few minutes
JOURNALLED = (
    or_(events.c.status.is_(None), events.c.status < 400)
    & or_(events.c.outcome.is_(None), events.c.outcome != "duplicate")
    & or_(events.c.event_type.is_(None), ~_IS_QUIET)
)
EVERYTHING: ColumnElement[bool] = true()

_SAID = ("_id", "_ts", "_ip", "_outcome", "_status", "_why", "_key", "_request", "_guards")
_OURS = frozenset((*_SAID, "qty", "risk_usd", "risk_real_usd"))


def journal(zone: ZoneInfo) -> Feed:
    """The log book has what was accepted, times in `zone`; of bars only those that closed a trade."""
    return _feed(JOURNALLED, lambda row: render(stamped(row), zone))


def jsonl() -> Feed:
    """events.jsonl has everything."""
    return _feed(EVERYTHING, line)


def line(row: Row[Any]) -> str:
    """One event as one line of JSON: what we know of it, then what the sender gave; his own words for that give way."""
    guards = None if row.guards is None else json.loads(row.guards)
    said = (row.id, row.ts, row.ip, row.outcome, row.status, row.reason_text, row.key_name, row.request, guards)
    sizes = {"qty": row.qty, "risk_usd": row.risk_usd, "risk_real_usd": row.risk_real_usd}
    known = dict(zip(_SAID, said, strict=True)) | sizes
    head = json.dumps({name: value for name, value in known.items() if value is not None})
    if _is_plain(row.payload):
        return f"{head[:-1]}, {row.payload[1:]}\n"
    given = {name: value for name, value in json.loads(row.payload).items() if name not in _OURS}
    return f"{head[:-1]}, {json.dumps(given)[1:]}\n" if given else f"{head}\n"


def _is_plain(text: str) -> bool:
    """True when the stored text can be taken as it is, which spares reading and writing it anew.

    What is not printable (a line separator, say) would end a line for some readers.
    """
    return text.startswith('{"') and text.isprintable() and not any(name in text for name in ('"_', '"qty"', '"risk_'))


def _feed(wanted: ColumnElement[bool], render_row: Any) -> Feed:
    def after(connection: Connection, event_id: int, limit: int) -> list[Row[Any]]:
        query = select(events).where(events.c.id > event_id, wanted).order_by(events.c.id).limit(limit)
        return list(connection.execute(query))

    def these(connection: Connection, ids: list[int]) -> list[Row[Any]]:
        return list(connection.execute(select(events).where(events.c.id.in_(ids)).order_by(events.c.id)))

    def newest(connection: Connection) -> int:
        return int(connection.execute(select(func.max(events.c.id))).scalar() or 0)

    return Feed(after, these, newest, render_row)
