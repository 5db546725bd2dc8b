"""Statements that are made once and go to the driver as they are: SQLAlchemy writes them and explains what fails.

Its way of executing costs more than SQLite's own work on a row. What takes part in each alert goes past it; whatever
is asked now and then, or needs its types (booleans, lists of values), goes through it as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Executable, Table, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    """`given` makes of values by name what the driver wants beside `sql`: a tuple, or a mapping of exactly these."""

    sql: str
    given: Callable[[Row], Any]


class Query:
    """`Query(statement)(connection, name=value)`: all rows, each a tuple of what the driver made of the columns.

    `by` has the statement for each dialect when they differ. Its parameters all have names, and none takes a list.
    """

    def __init__(self, statement: Executable | None = None, /, **by: Executable) -> None:
        self._statement = statement
        self._by = by
        self._made: dict[str, _Statement] = {}

    def __call__(self, connection: Connection, **values: Any) -> list[Any]:
        made = self._made.get(connection.dialect.name) or self._make(connection.dialect)
        try:
            cursor = _driver(connection).execute(made.sql, made.given(values))
            found: list[Any] = cursor.fetchall()
        except Exception as error:
            raise explained(connection, made.sql, error) from error
        cursor.close()
        return found

    def _make(self, dialect: Dialect) -> _Statement:
        statement: Any = self._statement if self._statement is not None else self._by[dialect.name]
        compiled = statement.compile(dialect=dialect)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        given = _given(compiled)
        made = _Statement(str(compiled), (lambda values: given({**fixed, **values})) if fixed else given)
        self._made[dialect.name] = made
        return made


class Insert:
    """`Insert(table, names)(connection, rows)`: every row has at least a value for each of `names`."""

    def __init__(self, table: Table, names: Iterable[str]) -> None:
        self._table = table
        self._names = tuple(map(str, names))  # SQLAlchemy's own kind of text makes slow keys
        self._made: dict[str, _Statement] = {}

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        if not rows:
            return
        made = self._made.get(connection.dialect.name) or self._make(connection.dialect)
        try:
            cursor = _driver(connection).cursor()
            cursor.executemany(made.sql, list(map(made.given, rows)))
        except Exception as error:
            raise explained(connection, made.sql, error) from error
        cursor.close()

    def _make(self, dialect: Dialect) -> _Statement:
        compiled = insert(self._table).compile(dialect=dialect, column_keys=list(self._names))
        made = self._made[dialect.name] = _Statement(str(compiled), _given(compiled))
        return made


def run(connection: Connection, sql: str) -> None:
    """A statement without parameters and without rows."""
    try:
        _driver(connection).execute(sql).close()
    except Exception as error:
        raise explained(connection, sql, error) from error


def explained(connection: Connection, sql: str, error: Exception) -> Exception:
    """What SQLAlchemy would have raised for a driver's error; any other error as it is. It holds no values."""
    dialect: Any = connection.dialect
    driver = dialect.dbapi
    if not isinstance(error, driver.Error):
        return error
    lost = dialect.is_disconnect(error, _driver(connection), None)
    told = DBAPIError.instance(sql, None, error, driver.Error, hide_parameters=True, connection_invalidated=lost)
    return told if isinstance(told, Exception) else error


def _driver(connection: Connection) -> Any:
    """The driver's own connection: sqlite3's and psycopg's both execute without a cursor."""
    return connection.connection.dbapi_connection


def _given(compiled: Any) -> Callable[[Row], Any]:
    places: list[str] | None = compiled.positiontup
    if places is None:
        names = [str(name) for name in compiled.params]
        return lambda values: {name: values[name] for name in names}
    names = list(map(str, places))
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple([values[name] for name in names])
