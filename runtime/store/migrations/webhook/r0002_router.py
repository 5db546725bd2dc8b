"""The router: what was decided about each alert, the lock, virtual trades, and messages to the ledger."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer

from runtime.store.revisions import columns, index, table
from runtime.store.types import Id, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    columns(
        "events",
        Column("outcome", Text),
        Column("status", Integer),
        Column("reason_text", Text),
        Column("event_type", Text),
        Column("qty", Float),
        Column("risk_usd", Float),
        Column("risk_real_usd", Float),
        Column("trade_id", Text),
        Column("dedupe_key", Text),
    )
    index("events_by_dedupe", "events", "dedupe_key", "id", where="dedupe_key IS NOT NULL")
    index("events_by_engine", "events", "engine", "id")
    _lock()
    _trades()
    _messages()


def _lock() -> None:
    table(
        "router",
        Column("id", Id, primary_key=True),
        *(Column(name, Text) for name in ("engine", "since", "renewed")),
        Column("updated_at", Text, nullable=False),
    )
    table(
        "lock_resets",
        Column("id", Id, primary_key=True),
        Column("ts", Text, nullable=False),
        Column("ip", Text, nullable=False),
        Column("engine", Text),
    )


def _trades() -> None:
    table(
        "trades",
        Column("trade_id", Text, primary_key=True),
        Column("alias", Text),
        *(Column(name, Text, nullable=False) for name in ("engine", "symbol", "side")),
        *(Column(name, Float, nullable=False) for name in ("entry", "stop", "qty")),
        Column("opened_by", Id, nullable=False),
        Column("closed_by", Id),
        Column("locked", Boolean, nullable=False),
    )
    columns("trades", Column("alias", Text))  # the router's very first build had none
    index("trades_open", "trades", "engine", where="closed_by IS NULL")
    index("trades_locked", "trades", "locked", where="locked")


def _messages() -> None:
    table(
        "perf_messages",
        Column("id", Id, primary_key=True, autoincrement=True),
        Column("event_id", Id, nullable=False),
        Column("body", Text, nullable=False),
        Column("dead", Text),
        sqlite_autoincrement=True,
    )
    index("perf_messages_dead", "perf_messages", "id", where="dead IS NOT NULL")
