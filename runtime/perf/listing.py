"""Trades as they are shown, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from runtime.payload import Json
from runtime.perf import arithmetic
from runtime.perf.tables import trades

_HIDDEN = ("id", "close_seq")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which trades to list; None means any. Opened at `since` or later and before `until` (as `clock.iso` writes)."""

    engine: str | None = None
    status: str | None = None
    symbol: str | None = None
    side: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some trades, and where the next page begins (None: there is none)."""

    trades: list[Json]
    next: int | None


def newest(connection: Connection, wanted: Filter, limit: int, before: int | None = None) -> Page:
    """At most `limit` trades that match, newest first; `before` is an earlier page's `next`."""
    query = _matching(wanted).order_by(trades.c.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(trades.c.id < before)
    rows = connection.execute(query).all()
    more = len(rows) > limit
    return Page([shown(row) for row in rows[:limit]], rows[limit - 1].id if more else None)


def oldest(connection: Connection, wanted: Filter, limit: int, after: int) -> Iterator[tuple[int, Json]]:
    """(number, trade) of at most `limit` trades that match and are numbered above `after`, oldest first."""
    query = _matching(wanted).where(trades.c.id > after).order_by(trades.c.id).limit(limit)
    return ((row.id, shown(row)) for row in connection.execute(query).all())


def shown(row: Row[Any]) -> Json:
    """A trade's row with what follows from it.

    `mae_r`, `mfe_r`: the worst and the best the price has shown, in units of the risk. `open_pnl`, `open_r`: what the
    open part would realise at the last mark (null without one, and once closed).
    """
    kept = {name: value for name, value in row._mapping.items() if name not in _HIDDEN}
    open_pnl = _open_pnl(row)
    return kept | {
        "meta": json.loads(row.meta),
        "mae_r": arithmetic.r_multiple(row.mae, row.risk_usd),
        "mfe_r": arithmetic.r_multiple(row.mfe, row.risk_usd),
        "open_pnl": open_pnl,
        "open_r": None if open_pnl is None else arithmetic.r_multiple(open_pnl, row.risk_usd),
    }


def _open_pnl(row: Row[Any]) -> float | None:
    if row.status != "OPEN" or row.mark is None:
        return None
    position = arithmetic.Position(row.side, row.entry, row.contract, row.contract_value)
    return arithmetic.pnl(position, row.mark, row.qty - row.qty_closed)


def _matching(wanted: Filter) -> Select[Any]:
    query = select(trades)
    for name in ("engine", "status", "symbol", "side"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(trades.c[name] == value)
    if wanted.since is not None:
        query = query.where(trades.c.opened_ts >= wanted.since)
    if wanted.until is not None:
        query = query.where(trades.c.opened_ts < wanted.until)
    return query
