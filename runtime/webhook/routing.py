"""What the router remembers between alerts: who holds the lock, and which virtual trades are open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from runtime import clock
from runtime.router.decision import Lock, Trade
from runtime.store import upsert
from runtime.store.tables import resets, router, trades

_LOCK = select(router).where(router.c.id == 1)


def lock(connection: Connection) -> tuple[Lock | None, str | None]:
    """The lock as it was last written (it may have expired), and when that was."""
    row = connection.execute(_LOCK).first()
    if row is None:
        return None, None
    if row.engine is None:
        return None, row.updated_at
    return Lock(row.engine, clock.from_iso(row.since), clock.from_iso(row.renewed)), row.updated_at


def set_lock(connection: Connection, before: Lock | None, after: Lock | None, now: datetime) -> None:
    """Write the lock if it changed. When its holder changes, the trades of the one before hold it no longer."""
    if before == after:
        return
    if before is None or after is None or before.since != after.since:
        connection.execute(update(trades).where(trades.c.locked).values(locked=False))
    row = {"engine": None, "since": None, "renewed": None, "updated_at": clock.iso(now)}
    if after is not None:
        row |= {"engine": after.engine, "since": clock.iso(after.since), "renewed": clock.iso(after.renewed)}
    upsert.put(connection, router, {"id": 1} | row)


def reset(connection: Connection, now: datetime, ip: str) -> str | None:
    """Free the lock and keep who asked; returns the engine that held it."""
    before, _ = lock(connection)
    set_lock(connection, before, None, now)
    row = {"ts": clock.iso(now), "ip": ip, "engine": before.engine if before else None}
    connection.execute(insert(resets), row)
    return before.engine if before else None


def open_trades(connection: Connection, engine: str) -> list[Trade]:
    """The engine's open virtual trades, oldest first."""
    query = select(trades).where(trades.c.engine == engine, trades.c.closed_by.is_(None)).order_by(trades.c.opened_by)
    return [Trade(row.trade_id, row.symbol, row.side, row.locked, row.alias) for row in connection.execute(query)]


def opened_by(connection: Connection, engine: str, alias: str) -> int | None:
    """The event that opened the trade the engine calls `alias`; None when none of that name is open."""
    mine = (trades.c.engine == engine, trades.c.closed_by.is_(None), trades.c.alias == alias)
    found: int | None = connection.execute(select(trades.c.opened_by).where(*mine)).scalar()
    return found


def is_used(connection: Connection, trade_id: str) -> bool:
    """True when a trade, open or closed, has this id: the ledger never takes one twice."""
    return connection.execute(select(trades.c.trade_id).where(trades.c.trade_id == trade_id)).first() is not None


def add_trade(connection: Connection, **row: object) -> None:
    connection.execute(insert(trades), row)


def close_trades(connection: Connection, closed: tuple[Trade, ...], event_id: int) -> None:
    for trade in closed:
        done = update(trades).where(trades.c.trade_id == trade.trade_id)
        connection.execute(done.values(closed_by=event_id, locked=False))
