"""The ledger's tables, and the three ways a trade changes. Each runs inside one transaction."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Connection, Float, Index, Integer, MetaData, Row, Table, Text, insert, select, update

from runtime.payload import Json
from runtime.perf import arithmetic
from runtime.perf.event import Close, Event, Open, Update

metadata = MetaData()

trades = Table(
    "trades",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("trade_id", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),  # OPEN or CLOSED
    Column("engine", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("entry", Float, nullable=False),
    Column("stop", Float),
    Column("qty", Float, nullable=False),
    Column("risk_usd", Float),  # NULL: unknown
    Column("mark", Float),
    Column("exit", Float),
    Column("pnl", Float),
    Column("r", Float),
    Column("opened_ts", Text, nullable=False),  # UTC, ISO 8601
    Column("closed_ts", Text),
    Column("close_seq", Integer),  # the order in which trades closed: clocks may jump back
    Column("meta", Text, nullable=False),
    Index("trades_by_close", "close_seq"),
    Index("trades_by_status", "status"),
)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("ts", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("trade_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)


class Refused(Exception):
    """The ledger's state does not allow the event: HTTP `status` 404 or 409, and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def apply(connection: Connection, event: Event) -> Json:
    """Record the event; returns what is answered. Raises Refused, leaving nothing behind."""
    match event:
        case Open():
            return _open(connection, event)
        case Close():
            return _close(connection, event)
        case Update():
            return _update(connection, event)


def _open(connection: Connection, event: Open) -> Json:
    """Opening the same id again while it is open changes nothing: the first one stands."""
    found = _find(connection, event.trade_id)
    if found is not None and found.status == "CLOSED":
        raise Refused(409, f"trade {event.trade_id} is already closed")
    if found is None:
        risked = arithmetic.risk(event.entry, event.stop, event.qty, event.risk_usd)
        row = asdict(event) | {"risk_usd": risked, "status": "OPEN", "meta": json.dumps(event.meta)}
        row["opened_ts"] = row.pop("ts")
        connection.execute(insert(trades), row)
        _remember(connection, event)
    return {"ok": True, "trade_id": event.trade_id, "existing": found is not None}


def _close(connection: Connection, event: Close) -> Json:
    trade = _opened(connection, event.trade_id)
    profit = arithmetic.pnl(trade.side, trade.entry, event.exit_price, trade.qty)
    multiple = arithmetic.r_multiple(profit, trade.risk_usd)
    done = {"status": "CLOSED", "exit": event.exit_price, "pnl": profit, "r": multiple, "closed_ts": event.ts}
    sequence = _remember(connection, event)
    connection.execute(update(trades).where(trades.c.id == trade.id).values(**done, close_seq=sequence))
    return {"ok": True, "trade_id": event.trade_id, "pnl": profit, "r": multiple}


def _update(connection: Connection, event: Update) -> Json:
    trade = _opened(connection, event.trade_id)
    connection.execute(update(trades).where(trades.c.id == trade.id).values(mark=event.mark))
    _remember(connection, event)
    return {"ok": True, "trade_id": event.trade_id, "mark": event.mark}


def _opened(connection: Connection, trade_id: str) -> Row[Any]:
    trade = _find(connection, trade_id)
    if trade is None:
        raise Refused(404, f"no trade {trade_id}")
    if trade.status == "CLOSED":
        raise Refused(409, f"trade {trade_id} is already closed")
    return trade


def _find(connection: Connection, trade_id: str) -> Row[Any] | None:
    return connection.execute(select(trades).where(trades.c.trade_id == trade_id)).first()


def _remember(connection: Connection, event: Event) -> int:
    """Every event is kept as it came: marks are needed later for the best and worst a trade has seen."""
    row = {"ts": event.ts, "type": type(event).__name__.upper(), "trade_id": event.trade_id}
    row["body"] = json.dumps(asdict(event))
    return int(connection.execute(insert(history).returning(history.c.id), row).scalar_one())
