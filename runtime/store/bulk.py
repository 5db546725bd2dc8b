"""Many rows into one table at once, past SQLAlchemy's compiler: it made the statement, the driver gets the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.engine import Dialect


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    places: tuple[str, ...] | None
    """The columns in the order of the placeholders; None: placeholders have names."""


class Insert:
    """`Insert(table, names)(connection, rows)`: every row has at least a value for each of `names`."""

    def __init__(self, table: Table, names: Iterable[str]) -> None:
        self._table = table
        self._names = tuple(map(str, names))  # SQLAlchemy's own kind of text makes slow keys
        self._made: dict[str, _Statement] = {}

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        made = self._made.get(connection.dialect.name) or self._make(connection.dialect)
        if made.places is None:
            connection.exec_driver_sql(made.sql, [{name: row[name] for name in self._names} for row in rows])
        else:
            connection.exec_driver_sql(made.sql, [tuple([row[name] for name in made.places]) for row in rows])

    def _make(self, dialect: Dialect) -> _Statement:
        compiled = insert(self._table).compile(dialect=dialect, column_keys=list(self._names))
        places = tuple(map(str, compiled.positiontup)) if compiled.positiontup is not None else None
        made = self._made[dialect.name] = _Statement(str(compiled), places)
        return made
