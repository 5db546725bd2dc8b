"""Running figures, kept in the transaction of the event that changes them."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer

from runtime.store.revisions import table
from runtime.store.types import Id, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    table(
        "aggregates",
        Column("dimension", Text, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("body", Text, nullable=False),
    )
    table(
        "days",
        Column("day", Text, primary_key=True),
        Column("pnl", Float, nullable=False),
        Column("closed", Id, nullable=False),
        Column("wins", Id, nullable=False),
    )
    table(
        "basis",
        Column("id", Id, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("equity0", Float, nullable=False),
        Column("last_event", Id, nullable=False),
    )
