"""What the router remembers between alerts: who holds the lock, and which virtual trades are open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from runtime import clock
from runtime.router.decision import Lock, Trade
from runtime.store import upsert
from runtime.store.ready import Query
from runtime.store.tables import resets, router, trades

_lock = Query(select(router.c.engine, router.c.since, router.c.renewed, router.c.updated_at).where(router.c.id == 1))
_OPEN = select(trades).where(trades.c.closed_by.is_(None))
_OPEN_OF = _OPEN.where(trades.c.engine.in_(bindparam("names", expanding=True)))
_first = select(func.min(trades.c.engine).label("engine")).where(trades.c.closed_by.is_(None))
_holders = _first.cte("holders", recursive=True)
_next = _first.where(trades.c.engine > _holders.c.engine).scalar_subquery()
_HOLDERS = _holders.union_all(select(_next).where(_holders.c.engine.is_not(None)))
"""The engines with open trades, by one look into the index for each."""
_OPEN_ON = _OPEN.where(
    trades.c.engine.in_(select(_HOLDERS.c.engine)), trades.c.symbol.in_(bindparam("names", expanding=True))
)
_KNOWN = tuple(field.name for field in fields(Trade))
_ENDED = ("closed_by", "closed_ts", "exit", "pnl", "r", "closed_why", "locked")

CLOSE = (
    update(trades).where(trades.c.trade_id == bindparam("closed")).values({name: bindparam(name) for name in _ENDED})
)
"""Ends the trade `closed`; to be run with one row for each."""


def lock(connection: Connection) -> tuple[Lock | None, str | None]:
    """The lock as it was last written (it may have expired), and when that was."""
    for engine, since, renewed, updated_at in _lock(connection):
        holder = None if engine is None else Lock(engine, clock.from_iso(since), clock.from_iso(renewed))
        return holder, updated_at
    return None, None


def write_lock(connection: Connection, after: Lock | None, now: datetime) -> None:
    """Write who holds the lock from now on."""
    row = {"engine": None, "since": None, "renewed": None, "updated_at": clock.iso(now)}
    if after is not None:
        row |= {"engine": after.engine, "since": clock.iso(after.since), "renewed": clock.iso(after.renewed)}
    upsert.put(connection, router, {"id": 1} | row)


def free_trades(connection: Connection) -> None:
    """No open trade holds the lock any longer: it went to another holder, or to nobody."""
    connection.execute(update(trades).where(trades.c.locked).values(locked=False))


def reset(connection: Connection, now: datetime, ip: str) -> str | None:
    """Free the lock and keep who asked; returns the engine that held it."""
    before, _ = lock(connection)
    if before is not None:
        write_lock(connection, None, now)
        free_trades(connection)
    row = {"ts": clock.iso(now), "ip": ip, "engine": before.engine if before else None}
    connection.execute(insert(resets), row)
    return before.engine if before else None


def open_trades(
    connection: Connection, engines: Collection[str], symbols: Collection[str] = ()
) -> dict[str, list[Trade]]:
    """By engine, oldest first: all open trades of `engines`, and whoever's are open on `symbols`."""
    rows: dict[str, Row[Any]] = {}
    for query, names in ((_OPEN_OF, engines), (_OPEN_ON, symbols)):
        if names:
            rows |= {row.trade_id: row for row in connection.execute(query, {"names": list(names)})}
    found: dict[str, list[Trade]] = {}
    for row in sorted(rows.values(), key=lambda row: int(row.opened_by)):
        found.setdefault(row.engine, []).append(_trade(row))
    return found


def _trade(row: Row[Any]) -> Trade:
    return Trade(**{name: getattr(row, name) for name in _KNOWN})
