"""Insert or change, in one statement, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Executable, Table

Row = Mapping[str, Any]


def put(connection: Connection, table: Table, rows: Row | Sequence[Row], *, add: Sequence[str] = ()) -> None:
    """Store `rows`, all with the same columns; the one that has a row's primary key already gets its other values.

    Columns named in `add` are not replaced: the new value is added to the one that is there.
    """
    first = rows if isinstance(rows, Mapping) else rows[0]
    connection.execute(_statement(connection.dialect.name, table, tuple(first), tuple(add)), rows)


@lru_cache
def _statement(dialect: str, table: Table, names: tuple[str, ...], add: tuple[str, ...]) -> Executable:
    made: Any = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    keys = [column.name for column in table.primary_key]
    new = {name: made.excluded[name] for name in names if name not in keys}
    changes = {name: table.c[name] + value if name in add else value for name, value in new.items()}
    statement: Executable = made.on_conflict_do_update(index_elements=keys, set_=changes)
    return statement
