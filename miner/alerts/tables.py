"""The monitor's own store: what its alerts remember, and what it has to tell. Times are UTC, ISO 8601 (`clock.iso`)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, Table, false

from runtime.store.schema import Schema
from runtime.store.types import Id, Text, where

metadata = MetaData()

# Whoever changes a table here adds a revision in runtime/store/migrations/monitor, and names it here.
SCHEMA = Schema("monitor", metadata, head="0001")
FILE = "monitor.db"
"""Its name in the state directory."""

# One row, `alerts`: see miner.alerts.states.States.
states = Table(
    "states",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),  # JSON
)

# Every change that people should hear of, for good.
changes = Table(
    "changes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("ts", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON, see miner.alerts.states.Change
    Column("notice", Text),  # the key of the notice that tells it; NULL: it waits for others to be told with
    Index("changes_untold", "id", **where("notice IS NULL")),
    Index("changes_by_time", "ts"),
    sqlite_autoincrement=True,
)

# What people are told, once for each key.
notices = Table(
    "notices",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("ts", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("kind", Text, nullable=False),  # firing, resolved, repeat, action, summary, info
    Column("severity", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("handed", Boolean, nullable=False, server_default=false()),  # the webhook's store has it
    Index("notices_waiting", "id", **where("NOT handed")),
    sqlite_autoincrement=True,
)

# What is muted now.
mutes = Table(
    "mutes",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("until", Text, nullable=False),
    Column("boot", Text, nullable=False),  # in this boot it is the steady clock that counts
    Column("steady", Float, nullable=False),
    Column("by", Text, nullable=False),
)

# A row that readiness is tried with.
Table("store_probe", metadata, Column("id", Integer, primary_key=True), Column("count", Id, nullable=False))
