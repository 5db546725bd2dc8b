"""The first release: what the alerts remember, what they said, and what people are told."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, false

from runtime.store.revisions import index, table
from runtime.store.types import Id, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    table("states", Column("name", Text, primary_key=True), Column("body", Text, nullable=False))
    table(
        "changes",
        Column("id", Id, primary_key=True, autoincrement=True),
        *(Column(name, Text, nullable=False) for name in ("ts", "kind", "rule", "target", "severity", "body")),
        Column("notice", Text),
        sqlite_autoincrement=True,
    )
    index("changes_untold", "changes", "id", where="notice IS NULL")
    index("changes_by_time", "changes", "ts")
    table(
        "notices",
        Column("id", Id, primary_key=True, autoincrement=True),
        Column("key", Text, nullable=False, unique=True),
        *(Column(name, Text, nullable=False) for name in ("ts", "host", "kind", "severity", "text")),
        Column("handed", Boolean, nullable=False, server_default=false()),
        sqlite_autoincrement=True,
    )
    index("notices_waiting", "notices", "id", where="NOT handed")
    table(
        "mutes",
        Column("scope", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("until", "boot")),
        Column("steady", Float, nullable=False),
        Column("by", Text, nullable=False),
    )
    table("store_probe", Column("id", Integer, primary_key=True), Column("count", Id, nullable=False))
