"""A service's tables and the revision they stand at. A store is made, or brought forward, before anyone is answered.

Revisions only add: a release that is rolled back to must still be able to write what it knows, so a database made by a
newer release is used as it is. Alembic is imported only when there is something to bring forward.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Engine, MetaData, PrimaryKeyConstraint, String, Table, inspect, select

from runtime.store.engine import unhurried

log = logging.getLogger("runtime.store")

VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


@dataclass(frozen=True)
class Schema:
    """`name` is the PostgreSQL schema and the folder of revisions, `head` the newest of them ("": none are kept).

    `counted`: the revision that matches each `PRAGMA user_version`, which is how releases before Alembic counted.
    """

    name: str
    metadata: MetaData
    head: str = ""
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """From one revision (None: there was nothing) to another."""

    before: str | None
    after: str

    def __str__(self) -> str:
        return f"{self.before or 'nothing'} -> {self.after}"


def forward(writers: Engine, schema: Schema) -> Move:
    """Bring the store to `schema`, wholly or not at all. Raises SQLAlchemyError, with nothing changed.

    The transaction keeps other writers out, so of two processes that start at once the second finds it done.
    """
    with writers.begin() as connection:
        unhurried(connection)
        _make_home(connection, schema)
        before = stored(connection, schema)
        after = _bring(connection, schema, before)
    if after != before:
        log.info("schema of %s: %s", schema.name, Move(before, after))
    return Move(before, after)


def stored(connection: Connection, schema: Schema) -> str | None:
    """The revision of the tables that are there; None when there are none."""
    names = set(inspect(connection).get_table_names())
    if VERSION.name in names:
        return str(connection.execute(select(VERSION.c.version_num)).scalar_one())
    if not names or not schema.counted:
        return None
    counted = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    return schema.counted[min(counted, len(schema.counted) - 1)]


def _bring(connection: Connection, schema: Schema, before: str | None) -> str:
    if before is None:
        schema.metadata.create_all(connection)
        before = schema.head
    if before == schema.head:
        _stamp(connection, before)
    elif before < schema.head:
        from runtime.store import revisions  # a third of a second, and memory for as long as the service runs

        revisions.upgrade(connection, schema, before)
    else:
        log.warning("%s's database was made by a newer release (%s; this one knows %s)", *_names(schema, before))
        return before
    _count(connection, schema)
    return schema.head


def _stamp(connection: Connection, revision: str) -> None:
    """As Alembic would: a new store is made as it should be, and a counted one may be there already."""
    if not inspect(connection).has_table(VERSION.name):
        VERSION.create(connection)
        connection.execute(VERSION.insert(), {"version_num": revision})


def _names(schema: Schema, before: str) -> tuple[str, str, str]:
    return schema.name, before, schema.head


def _count(connection: Connection, schema: Schema) -> None:
    """A release from before Alembic that is rolled back to must not take its steps again."""
    if schema.counted and connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {len(schema.counted) - 1}")


def _make_home(connection: Connection, schema: Schema) -> None:
    """Look before making: a role that may not create schemas may still use one that was made for it."""
    if connection.dialect.name == "postgresql" and not inspect(connection).has_schema(schema.name):
        connection.exec_driver_sql(f'CREATE SCHEMA "{schema.name}"')
