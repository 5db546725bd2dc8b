"""Candles: the BAR events among the newest events, by symbol. Bounded work, however many are stored."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, func, select

from runtime.payload import Json
from runtime.store.tables import events

LOOKED_AT = 5000
PRICES = ("open", "high", "low", "close")


def report(connection: Connection, symbol: str | None, limit: int) -> Json:
    """`symbols` that have bars, the newest first; of one of them (the newest when none is named) its last bars."""
    newest = connection.execute(select(func.max(events.c.id))).scalar() or 0
    query = select(events.c.id, events.c.ts, events.c.symbol, events.c.tf, events.c.payload)
    recent = events.c.id > newest - LOOKED_AT
    rows = connection.execute(query.where(recent, events.c.event_type == "BAR").order_by(events.c.id.desc())).all()
    symbols = list(dict.fromkeys(row.symbol for row in rows))
    wanted = symbol if symbol in symbols else next(iter(symbols), None)
    mine = [row for row in rows if row.symbol == wanted]
    same = [row for row in mine if row.tf == mine[0].tf][:limit]
    bars = [bar for row in reversed(same) if (bar := _bar(row)) is not None]
    return {"symbols": symbols, "symbol": wanted, "tf": mine[0].tf if mine else None, "bars": bars}


def _bar(row: Row[Any]) -> Json | None:
    """A bar without an open or a close has no candle."""
    found = json.loads(row.payload)
    try:
        return {"ts": row.ts} | {name: float(found[name]) for name in PRICES}
    except (KeyError, TypeError, ValueError):
        return None
