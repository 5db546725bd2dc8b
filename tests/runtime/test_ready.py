"""Statements past SQLAlchemy's way of executing: what they find, and that their failures are still its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Float, Integer, MetaData, Table, Text, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from runtime.keys import Secret
from runtime.store import ready
from runtime.store.engine import writers
from runtime.store.ready import Insert, Query

metadata = MetaData()
things = Table(
    "things", metadata, Column("id", Integer, primary_key=True), Column("name", Text), Column("price", Float)
)
ADD = Insert(things, ("id", "name", "price"))
ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "%s ? :name 'é'", "price": 0.1, "more": "left out"},
    {"id": 2, "name": None, "price": None},
]
ABOVE = Query(select(things.c.id, things.c.name).where(things.c.id > text(":above")).order_by(things.c.id))
ONE = Query(select(things.c.price).where(things.c.id == 1))
BY_DIALECT = Query(sqlite=text("SELECT 'a file', :x"), postgresql=text("SELECT 'a server', CAST(:x AS text)"))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = writers(tmp_path / "x.db", "ready")
    with engine.begin() as opened:
        metadata.create_all(opened)
        yield opened
    engine.dispose()


def test_rows_come_back_as_they_went(connection: Connection) -> None:
    ADD(connection, ROWS)
    ADD(connection, [])
    assert ABOVE(connection, above=0) == [(1, ROWS[0]["name"]), (2, None)]
    assert ABOVE(connection, above=1) == [(2, None)]
    assert ONE(connection) == [(0.1,)]
    assert BY_DIALECT(connection, x="'; DROP TABLE things") == [("a file", "'; DROP TABLE things")]


def test_on_postgresql_too(database: str) -> None:
    engine = writers(Secret(database), "ready")
    with engine.begin() as opened:
        opened.exec_driver_sql("CREATE SCHEMA ready")
        metadata.create_all(opened)
        ADD(opened, ROWS)
        assert ABOVE(opened, above=0) == [(1, ROWS[0]["name"]), (2, None)]
        assert ONE(opened) == [(0.1,)]
        assert BY_DIALECT(opened, x="%s") == [("a server", "%s")]
    with pytest.raises(IntegrityError), engine.begin() as opened:
        ADD(opened, ROWS)
    engine.dispose()


def test_a_failure_is_the_one_that_sqlalchemy_would_have_raised(connection: Connection) -> None:
    ADD(connection, ROWS)
    with pytest.raises(IntegrityError) as caught:
        ADD(connection, ROWS)
    assert isinstance(caught.value.orig, sqlite3.IntegrityError)
    assert not caught.value.connection_invalidated
    assert "é" not in str(caught.value)
    for broken in (lambda: ready.run(connection, "nonsense"), lambda: Query(text("SELECT 1 FROM nothing"))(connection)):
        with pytest.raises(OperationalError):
            broken()


def test_a_mistake_of_ours_stays_itself(connection: Connection) -> None:
    with pytest.raises(KeyError):
        ADD(connection, [{"id": 1}])
    with pytest.raises(KeyError):
        ABOVE(connection)
