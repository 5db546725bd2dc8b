"""The store: an answer only after COMMIT, one bad write harms no other, settings that survive a power cut."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, insert, select

from runtime.store import Schema, Store, StoreError

metadata = MetaData()
things = Table("things", metadata, Column("id", Integer, primary_key=True), Column("value", Integer, unique=True))
Table("store_probe", metadata, Column("id", Integer, primary_key=True), Column("count", Integer))
SCHEMA = Schema("test", metadata)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "test.db", SCHEMA)
    yield opened
    opened.close()


def add(value: int) -> object:
    return lambda connection: connection.execute(insert(things).values(value=value)).rowcount


def committed(tmp_path: Path) -> list[int]:
    with sqlite3.connect(tmp_path / "test.db") as other:
        rows = [row[0] for row in other.execute("SELECT value FROM things ORDER BY value")]
    other.close()
    return rows


def test_when_a_write_is_answered_another_program_sees_it(store: Store, tmp_path: Path) -> None:
    for value in range(20):
        store.submit(add(value)).result(5)  # type: ignore[arg-type]
        assert committed(tmp_path)[-1] == value


def test_writes_that_wait_share_a_transaction(store: Store) -> None:
    seen: list[object] = []
    gate = threading.Event()

    def note(connection: Connection) -> None:
        seen.append(connection.get_transaction())

    began = threading.Event()
    first = store.submit(lambda _: began.set() or gate.wait(5))
    assert began.wait(5)
    rest = [store.submit(note) for _ in range(50)]
    gate.set()
    first.result(5)
    for future in rest:
        future.result(5)
    assert len({id(transaction) for transaction in seen}) == 1


def test_a_write_that_fails_undoes_only_itself(store: Store, tmp_path: Path) -> None:
    def half(connection: Connection) -> None:
        connection.execute(insert(things).values(value=100))
        raise ValueError("no")

    gate = threading.Event()
    store.submit(lambda _: gate.wait(5))
    futures = [store.submit(write) for write in (add(1), half, add(1), add(2))]  # type: ignore[arg-type]
    gate.set()
    assert isinstance(futures[1].exception(5), ValueError)
    assert futures[2].exception(5) is not None
    assert (futures[0].result(5), futures[3].result(5)) == (1, 1)
    assert committed(tmp_path) == [1, 2]


def test_a_cancelled_write_never_happens(store: Store, tmp_path: Path) -> None:
    gate = threading.Event()
    store.submit(lambda _: gate.wait(5))
    assert store.submit(add(5)).cancel()  # type: ignore[arg-type]
    gate.set()
    store.submit(add(6)).result(5)  # type: ignore[arg-type]
    assert committed(tmp_path) == [6]


def test_a_store_that_hangs_is_told_in_time(store: Store) -> None:
    gate = threading.Event()
    store.submit(lambda _: gate.wait(5))
    with pytest.raises(StoreError, match="no commit"):
        asyncio.run(store.write(add(1), timeout=0.1))  # type: ignore[arg-type]
    gate.set()


def test_every_commit_is_synced(store: Store) -> None:
    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert store.submit(pragmas).result(5) == ["wal", 2, 1, 1000]


def test_readers_do_not_wait_for_the_writer(store: Store) -> None:
    gate = threading.Event()

    def slow(connection: Connection) -> None:
        connection.execute(insert(things).values(value=1))
        gate.wait(5)

    future = store.submit(slow)
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(things)).scalar() == 0
    gate.set()
    future.result(5)


def test_a_closed_store_refuses(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.submit(add(1))  # type: ignore[arg-type]


def test_a_store_that_cannot_be_opened_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        Store(tmp_path / "nowhere" / "x.db", SCHEMA)
