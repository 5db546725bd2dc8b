"""Whether a store may have changed: never missed, and asked less often where nothing happens."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runtime.store import StoreError, pulse
from runtime.store.pulse import BLIND_SECONDS, BUSY_SECONDS, CALM_SECONDS, BlindPulse, FilePulse


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE news (id INTEGER PRIMARY KEY)")
    return path


@pytest.fixture
def beating(path: Path) -> Iterator[FilePulse]:
    found = FilePulse(path)
    yield found
    found.close()


def commit(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO news DEFAULT VALUES")


def test_the_first_beat_says_that_it_may_have_changed(beating: FilePulse) -> None:
    assert beating.beat()
    assert not beating.beat()


def test_every_commit_of_others_is_felt_once(path: Path, beating: FilePulse) -> None:
    beating.beat()
    for _ in range(3):
        commit(path)
        assert beating.beat()
        assert not beating.beat()


def test_it_calms_down_within_two_seconds_and_wakes_with_the_first_commit(path: Path, beating: FilePulse) -> None:
    beating.beat()
    assert beating.every == BUSY_SECONDS
    waited = 0.0
    while beating.every < CALM_SECONDS:
        waited += beating.every
        assert not beating.beat()
    assert 1 < waited < 2
    commit(path)
    assert beating.beat()
    assert beating.every == BUSY_SECONDS


def test_however_long_nothing_happens_it_becomes_no_slower(beating: FilePulse) -> None:
    for _ in range(1000):
        beating.beat()
    assert beating.every == CALM_SECONDS


def test_a_store_that_is_gone_is_said_and_one_that_came_back_is_new(tmp_path: Path, path: Path) -> None:
    beating = FilePulse(tmp_path / "none.db")
    with pytest.raises(StoreError):
        beating.beat()
    path.rename(tmp_path / "none.db")
    assert beating.beat()
    beating.close()


def test_a_server_is_asked_at_an_even_pace() -> None:
    blind = BlindPulse()
    assert blind.beat()
    assert blind.beat()
    assert blind.every == BLIND_SECONDS
    assert isinstance(pulse.of(Path("store.db")), FilePulse)
