"""Guards, controls, what a trade came to, dead letters, and why a sink fails."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, false, text

from runtime.store.revisions import columns, index, table
from runtime.store.types import Id, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    columns("events", *(Column(name, Text) for name in ("key_name", "guards", "request")))
    attempts = Column("attempts", Integer, nullable=False, server_default=text("0"))
    columns("outbox", Column("error", Text), Column("failing_since", Text), attempts)
    columns(
        "trades",
        Column("tp", Float),
        Column("risk_usd", Float),
        Column("opened_ts", Text),
        Column("closed_ts", Text),
        Column("exit", Float),
        Column("pnl", Float),
        Column("r", Float),
        Column("closed_why", Text),
    )
    _dead_letters()
    _guards()
    _controls()


def _dead_letters() -> None:
    table(
        "dead_letters",
        Column("id", Id, primary_key=True),
        Column("sink", Text, nullable=False),
        Column("ref", Id, nullable=False),
        Column("reason", Text, nullable=False),
        Column("ts", Text, nullable=False),
        Column("retry", Boolean, nullable=False, server_default=false()),
    )
    index("dead_letters_by_sink", "dead_letters", "sink", "ref", unique=True)


def _guards() -> None:
    table("standings", Column("scope", Text, primary_key=True), Column("body", Text, nullable=False))
    table(
        "pauses",
        Column("scope", Text, primary_key=True),
        Column("since", Text, nullable=False),
        Column("until", Text),
        Column("by", Text, nullable=False),
        Column("reason", Text, nullable=False),
    )


def _controls() -> None:
    table(
        "confirmations",
        Column("scope", Text, primary_key=True),
        Column("item", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("ts", "until", "by")),
    )
    table(
        "controls",
        Column("id", Id, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("ts", "ip", "by", "action", "scope", "detail")),
    )
