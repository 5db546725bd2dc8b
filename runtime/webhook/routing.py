"""What the router remembers between alerts: who holds the lock, and which virtual trades are open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, text, update

from runtime import clock
from runtime.fixed import fixed
from runtime.router.decision import Lock, Trade
from runtime.store import upsert
from runtime.store.ready import Query
from runtime.store.tables import resets, router, trades

_lock = Query(select(router.c.engine, router.c.since, router.c.renewed, router.c.updated_at).where(router.c.id == 1))
_LEVELS = tuple(field.name for field in fields(Trade) if field.name != "locked")
COLUMNS = ("engine", "opened_by", "closed_by", "locked", *_LEVELS)
"""Of a trade, as `kept` reads them."""
_KEPT = select(*(trades.c[name] for name in COLUMNS))
_OPEN = _KEPT.where(trades.c.closed_by.is_(None))
_OPEN_HERE = _OPEN.where(trades.c.symbol.in_(bindparam("symbols", expanding=True)))
_OPEN_OF = _OPEN_HERE.where(trades.c.engine.in_(bindparam("engines", expanding=True)))
_first = select(func.min(trades.c.engine).label("engine")).where(trades.c.closed_by.is_(None))
_holders = _first.cte("holders", recursive=True)
_next = _first.where(trades.c.engine > _holders.c.engine).scalar_subquery()
_HOLDERS = _holders.union_all(select(_next).where(_holders.c.engine.is_not(None)))
"""The engines with open trades, by one look into the index for each."""
_OPEN_ON = _OPEN_HERE.where(trades.c.engine.in_(select(_HOLDERS.c.engine)))
_IS_LOCKED = text("locked")
"""As the index says it: SQLite would read all trades to find those with `locked = 1`, and all open ones to find out
that these, which all are, are open."""
_LOCKED = _KEPT.where(_IS_LOCKED)
_FREE = update(trades).where(_IS_LOCKED).values(locked=False)
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
    connection.execute(_FREE)


def reset(connection: Connection, now: datetime, ip: str) -> str | None:
    """Free the lock and keep who asked; returns the engine that held it."""
    before, _ = lock(connection)
    if before is not None:
        write_lock(connection, None, now)
        free_trades(connection)
    row = {"ts": clock.iso(now), "ip": ip, "engine": before.engine if before else None}
    connection.execute(insert(resets), row)
    return before.engine if before else None


@fixed
class Kept:
    """A trade in the store, of `engine`; opened and closed by events, by none (None) while it is open."""

    trade: Trade
    engine: str
    opened_by: int
    closed_by: int | None


def kept(row: Sequence[Any]) -> Kept:
    """What a row with COLUMNS says."""
    engine, opened_by, closed_by, locked, *levels = row
    return Kept(Trade(locked=bool(locked), **dict(zip(_LEVELS, levels, strict=True))), engine, opened_by, closed_by)


def open_trades(connection: Connection, pairs: Collection[tuple[str, str]], symbols: Collection[str]) -> Iterator[Kept]:
    """All open trades of each pair of an engine and a symbol, and whoever's are open on `symbols`; some come twice."""
    if pairs:
        engines, theirs = ({pair[part] for pair in pairs} for part in (0, 1))
        given = {"engines": list(engines), "symbols": list(theirs)}
        yield from map(kept, connection.execute(_OPEN_OF, given))
    if symbols:
        yield from map(kept, connection.execute(_OPEN_ON, {"symbols": list(symbols)}))


def locked_trades(connection: Connection) -> Iterator[Kept]:
    """Those that hold the lock, however many others are open."""
    return map(kept, connection.execute(_LOCKED))
