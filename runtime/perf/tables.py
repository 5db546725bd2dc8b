"""The ledger's tables. The revisions in `runtime/store/migrations/perf` lead to them; a test keeps the two the same."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, MetaData, Table, text

from runtime.store.schema import Schema
from runtime.store.types import Id, Text, where

metadata = MetaData()

SCHEMA = Schema("perf", metadata, head="0004", counted=("0001", "0001", "0002", "0003"))

trades = Table(
    "trades",
    metadata,
    Column("id", Id, primary_key=True),
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
    Column("exit", Float),  # the mean of the exits so far, by quantity
    Column("pnl", Float),  # realised so far
    Column("r", Float),  # NULL until closed
    Column("opened_ts", Text, nullable=False),  # UTC, ISO 8601
    Column("closed_ts", Text),
    Column("close_seq", Id),  # the order in which trades closed: clocks may jump back
    Column("meta", Text, nullable=False),
    Column("contract", Text, nullable=False, server_default=text("'linear'")),
    Column("contract_value", Float, nullable=False, server_default=text("1")),
    Column("qty_closed", Float, nullable=False, server_default=text("0")),
    Column("pnl_coin", Float),  # of inverse contracts
    Column("mae", Float, nullable=False, server_default=text("0")),
    Column("mfe", Float, nullable=False, server_default=text("0")),
    Column("marks", Integer, nullable=False, server_default=text("0")),
    Index("trades_by_close", "close_seq"),
    Index("trades_by_status", "status"),
    Index("trades_by_engine", "engine"),
    Index("trades_by_symbol", "symbol"),
)
Index("trades_open_on", trades.c.engine, trades.c.symbol, **where("status = 'OPEN'"))

history = Table(
    "history",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("ts", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("trade_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)

# Each price a trade was told while it was open; `seq` is the event's place in `history`.
marks = Table(
    "marks",
    metadata,
    Column("seq", Id, primary_key=True),
    Column("trade", Id, nullable=False),  # trades.id
    Column("ts", Text, nullable=False),
    Column("price", Float, nullable=False),
    Index("marks_by_trade", "trade"),
)

# Each part of a trade that was closed. `n` counts them; `total` is all that was realised up to and with this one.
closings = Table(
    "closings",
    metadata,
    Column("seq", Id, primary_key=True),
    Column("trade", Id, nullable=False),
    Column("ts", Text, nullable=False),
    Column("price", Float, nullable=False),
    Column("qty", Float, nullable=False),
    Column("pnl", Float, nullable=False),
    Column("n", Id, nullable=False),
    Column("total", Float, nullable=False),
    Index("closings_by_trade", "trade"),
    Index("closings_by_n", "n", "total"),
)

# What was answered to an event that had an id: a repeated one is answered the same and changes nothing.
receipts = Table(
    "receipts",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("answer", Text, nullable=False),
)

# Running figures: one row for the ledger, one for each engine, symbol, session, hour and weekday.
aggregates = Table(
    "aggregates",
    metadata,
    Column("dimension", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

# Profit by UTC day of the closing.
days = Table(
    "days",
    metadata,
    Column("day", Text, primary_key=True),
    Column("pnl", Float, nullable=False),
    Column("closed", Id, nullable=False),
    Column("wins", Id, nullable=False),
)

# What the running figures were made from and with: they are made anew when any of it is not as expected.
basis = Table(
    "basis",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("equity0", Float, nullable=False),
    Column("last_event", Id, nullable=False),
)

# A row that readiness is tried with.
Table("store_probe", metadata, Column("id", Integer, primary_key=True), Column("count", Id, nullable=False))
