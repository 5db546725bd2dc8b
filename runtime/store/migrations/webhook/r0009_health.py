"""What a monitor has to tell is delivered like everything else."""

from __future__ import annotations

from sqlalchemy import Column

from runtime.store.revisions import table
from runtime.store.types import Id, Text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    table(
        "health",
        Column("id", Id, primary_key=True, autoincrement=True),
        Column("key", Text, nullable=False, unique=True),
        *(Column(name, Text, nullable=False) for name in ("ts", "host", "kind", "severity", "text")),
        sqlite_autoincrement=True,
    )
