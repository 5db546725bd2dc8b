"""One process at a time delivers to a sink, and one that lost its lease unnoticed commits nothing more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from runtime.keys import Secret
from runtime.outbox.delivery import Deliverer
from runtime.store import Store, StoreError, tables
from runtime.store.engine import Place, named

END_SESSIONS = """
    SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND d.datname = current_database()"""


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return tmp_path / "webhook.db" if request.param == "file" else Secret(request.getfixturevalue("database"))


@pytest.fixture
def two(place: Place) -> Iterator[tuple[Store, Store]]:
    """One store as two processes see it."""
    with ExitStack() as ends:
        stores = Store(place, tables.SCHEMA), Store(place, tables.SCHEMA)
        for store in stores:
            ends.callback(store.close)
        yield stores


def test_the_second_waits_until_the_first_is_gone(two: tuple[Store, Store], wait_until: Callable[..., None]) -> None:
    first, second = (store.leases for store in two)
    assert first.hold("journal") is not None
    assert first.hold("journal") == first.hold("journal")
    assert second.hold("journal") is None
    assert second.hold("perf") is not None
    assert first.hold("perf") is None
    first.close()
    wait_until(lambda: second.hold("journal") is not None)  # the server ends the session when it gets to it


def test_a_lease_is_lost_with_its_session(postgres: Any, wait_until: Callable[..., None]) -> None:
    name = postgres.database()
    first, second = (Store(Secret(postgres.url(name)), tables.SCHEMA) for _ in range(2))
    before = first.leases.hold("journal")
    assert postgres.ask(END_SESSIONS, name) == "1"
    with pytest.raises(StoreError, match="no lease"):
        first.leases.hold("journal")
    wait_until(lambda: second.leases.hold("journal") is not None)
    assert first.leases.hold("journal") is None
    second.close()
    wait_until(lambda: first.leases.hold("journal") not in (None, before))
    first.close()


class Sink(Deliverer):
    """Notes who delivered; waits for `go` between reading and committing."""

    name = "journal"
    log = logging.getLogger("test")
    expected = (StoreError,)
    recovered = "well"

    def __init__(self, store: Store, mark: str) -> None:
        super().__init__(store)
        self.mark = mark
        self.go = threading.Event()
        self.reading = threading.Event()

    def deliver(self) -> bool:
        self.reading.set()
        if not self.go.wait(10):
            raise StoreError("nobody said go")
        row = {"ts": "", "ip": self.mark, "engine": None}
        self._commit(lambda connection: connection.execute(insert(tables.resets), row))
        self.go.clear()
        return False


def marks(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(tables.resets.c.ip)).scalars())


def test_one_that_lost_its_lease_amid_a_batch_commits_nothing(postgres: Any, wait_until: Callable[..., None]) -> None:
    name = postgres.database()
    stores = [Store(Secret(postgres.url(name)), tables.SCHEMA) for _ in range(2)]
    old, new = Sink(stores[0], "old"), Sink(stores[1], "new")
    old.start()
    assert old.reading.wait(5)
    new.start()
    wait_until(lambda: new.standby)
    assert new.error is None
    postgres.ask(END_SESSIONS, name)
    assert new.reading.wait(10), "it takes over"
    old.go.set()
    wait_until(lambda: old.error is not None or old.standby)
    assert marks(stores[0]) == []
    new.go.set()
    wait_until(lambda: marks(stores[0]) == ["new"])
    wait_until(lambda: old.standby)
    for sink, store in zip((old, new), stores, strict=True):
        sink.stop()
        store.close()


def test_a_place_is_named_without_its_password(postgres: Any) -> None:
    url = postgres.url("x").replace("postgres:", "someone:hidden-", 1)
    assert named(Secret(url)) == "the PostgreSQL database x at 127.0.0.1"
    with pytest.raises(StoreError) as raised:
        Store(Secret(url), tables.SCHEMA)
    assert "authentication failed" in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("more", ["?sslmode=bogus", "?nonsense=1", "?options=-c%20nonsense%3D1", "?host=/nowhere"])
def test_a_url_that_leads_nowhere_is_told_without_its_password(postgres: Any, more: str) -> None:
    url = postgres.url("postgres").replace("@", "-hidden@", 1) + more
    with pytest.raises(StoreError, match="cannot open the PostgreSQL database postgres") as raised:
        Store(Secret(url), tables.SCHEMA)
    assert "hidden" not in str(raised.value)
