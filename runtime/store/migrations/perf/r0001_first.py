"""The first release: trades, and every event as it came."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer

from runtime.store.revisions import index, table
from runtime.store.types import Id, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    table(
        "trades",
        Column("id", Id, primary_key=True),
        Column("trade_id", Text, nullable=False, unique=True),
        *(Column(name, Text, nullable=False) for name in ("status", "engine", "symbol", "side")),
        Column("entry", Float, nullable=False),
        Column("stop", Float),
        Column("qty", Float, nullable=False),
        *(Column(name, Float) for name in ("risk_usd", "mark", "exit", "pnl", "r")),
        Column("opened_ts", Text, nullable=False),
        Column("closed_ts", Text),
        Column("close_seq", Id),
        Column("meta", Text, nullable=False),
    )
    index("trades_by_close", "trades", "close_seq")
    index("trades_by_status", "trades", "status")
    table(
        "history",
        Column("id", Id, primary_key=True, autoincrement=True),
        *(Column(name, Text, nullable=False) for name in ("ts", "type", "trade_id", "body")),
        sqlite_autoincrement=True,
    )
    table("store_probe", Column("id", Integer, primary_key=True), Column("count", Id, nullable=False))
