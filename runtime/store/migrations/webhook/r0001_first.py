"""The first release: alerts, and how far each sink got."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer

from runtime.store.revisions import table
from runtime.store.types import Id, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    table(
        "events",
        Column("id", Id, primary_key=True, autoincrement=True),
        *(Column(name, Text, nullable=False) for name in ("ts", "ip", "engine", "signal", "symbol", "tf")),
        *(Column(name, Float) for name in ("price", "tp", "sl")),
        Column("reason", Text, nullable=False),
        Column("payload", Text, nullable=False),
        sqlite_autoincrement=True,
    )
    table(
        "outbox",
        Column("sink", Text, primary_key=True),
        Column("delivered", Id, nullable=False),
        Column("intent", Text),
    )
    table("store_probe", Column("id", Integer, primary_key=True), Column("count", Id, nullable=False))
