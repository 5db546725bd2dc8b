"""Parts of trades, marks with what they say of a trade, and receipts of events."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, text

from runtime.store.revisions import columns, index, table
from runtime.store.types import Id, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    columns(
        "trades",
        Column("contract", Text, nullable=False, server_default=text("'linear'")),
        Column("contract_value", Float, nullable=False, server_default=text("1")),
        Column("qty_closed", Float, nullable=False, server_default=text("0")),
        Column("pnl_coin", Float),
        Column("mae", Float, nullable=False, server_default=text("0")),
        Column("mfe", Float, nullable=False, server_default=text("0")),
        Column("marks", Integer, nullable=False, server_default=text("0")),
    )
    index("trades_by_engine", "trades", "engine")
    index("trades_by_symbol", "trades", "symbol")
    index("trades_at_risk", "trades", "engine", "risk_usd", "qty_closed", "qty", where="status = 'OPEN'")
    _marks()
    _closings()
    table("receipts", Column("event_id", Text, primary_key=True), Column("answer", Text, nullable=False))


def _marks() -> None:
    table(
        "marks",
        Column("seq", Id, primary_key=True),
        Column("trade", Id, nullable=False),
        Column("ts", Text, nullable=False),
        Column("price", Float, nullable=False),
    )
    index("marks_by_trade", "marks", "trade")


def _closings() -> None:
    table(
        "closings",
        Column("seq", Id, primary_key=True),
        Column("trade", Id, nullable=False),
        Column("ts", Text, nullable=False),
        *(Column(name, Float, nullable=False) for name in ("price", "qty", "pnl")),
        Column("n", Id, nullable=False),
        Column("total", Float, nullable=False),
    )
    index("closings_by_trade", "closings", "trade")
    index("closings_by_n", "closings", "n", "total")
