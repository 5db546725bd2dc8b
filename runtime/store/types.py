"""Column types that mean the same on SQLite and on PostgreSQL. Tables and migrations name these, not SQLAlchemy's."""

from __future__ import annotations

from typing import Any

import sqlalchemy

Id = sqlalchemy.BigInteger().with_variant(sqlalchemy.Integer(), "sqlite")
"""64 bits. In SQLite only a column declared INTEGER is the row's own number."""

Text = sqlalchemy.Text().with_variant(sqlalchemy.Text(collation="C"), "postgresql")
"""Compared by its bytes, as SQLite does: ISO times sort as times, whatever the database's language."""


def where(condition: str) -> dict[str, Any]:
    """What an Index needs to hold only the rows that meet `condition`."""
    return {f"{dialect}_where": sqlalchemy.text(condition) for dialect in ("sqlite", "postgresql")}
