"""Old alerts are reduced to what is known of them, without anyone noticing, and never before they are delivered."""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime import clock
from runtime.outbox import status
from runtime.store import Store
from runtime.store.tables import SCHEMA
from runtime.webhook.retention import KEPT, Retention, reduced

Make = Callable[..., dict[str, Any]]
Wait = Callable[..., None]
RAW = {
    "engine": "GOLD_CFD_LONG",
    "signal": "BUY",
    "symbol": "XAUUSD",
    "tf": "15",
    "price": 2000.0,
    "tp": None,
    "sl": 1995.0,
}
RAW |= {"reason": "r" * 50, "comment": "c" * 300, "nested": {"a": [1, 2]}, "id": "abc", "ts": "2026-01-01T00:00:00Z"}


def test_known_fields_stay_and_the_rest_goes() -> None:
    text = reduced(json.dumps(RAW))
    assert json.loads(text) == {name: value for name, value in RAW.items() if name not in ("comment", "nested")}
    assert reduced(text) is text
    assert json.loads(reduced('{"ts": {"a": 1}, "id": "%s", "key": "k"}' % ("x" * 999))) == {
        "ts": None,
        "id": "x" * 128,
    }
    for damaged in ("[damaged", "[]", '"x"', ""):
        assert reduced(damaged) == damaged
    assert {"engine", "reason", "high", "mark", "event_type", "field"} <= KEPT
    assert "key" not in KEPT


@pytest.fixture
def database(environ: dict[str, str]) -> Path:
    """A store with this release's schema and nothing in it."""
    path = Path(environ["TRADING_STATE_DIR"]) / "webhook.db"
    Store(path, SCHEMA).close()
    return path


def fill(path: Path, count: int, *, days: float, delivered: int | None = None) -> None:
    """`count` alerts, `days` old; the sinks are done with the first `delivered` (all)."""
    ts, text = clock.iso(clock.now() - timedelta(days=days)), json.dumps(RAW)
    names = "ts, ip, engine, signal, symbol, tf, price, sl, reason, payload, outcome, status"
    row = (ts, "i", "GOLD_CFD_LONG", "BUY", "XAUUSD", "15", 2000.0, 1995.0, "r", text, "recorded", 200)
    with closing(sqlite3.connect(path)) as store:
        store.executemany(f"INSERT INTO events ({names}) VALUES ({', '.join('?' * 12)})", [row] * count)  # noqa: S608
        total = store.execute("SELECT max(id) FROM events").fetchone()[0]
        done = total if delivered is None else delivered
        for sink in ("journal", "jsonl"):
            store.execute("INSERT OR REPLACE INTO outbox (sink, delivered) VALUES (?, ?)", (sink, done))
        store.commit()


def whole(path: Path) -> list[int]:
    """The ids of the alerts that still have all they were sent with."""
    with closing(sqlite3.connect(path)) as store:
        return [row[0] for row in store.execute("SELECT id FROM events WHERE payload LIKE '%comment%' ORDER BY id")]


def reduce_all(path: Path) -> list[float]:
    """Runs it to its end; the seconds each of its writes took."""
    store, took = Store(path, SCHEMA), list[float]()

    class Timed(Retention):
        def _write(self, *given: Any) -> None:
            begun = time.perf_counter()
            super()._write(*given)
            took.append(time.perf_counter() - begun)

    retention = Timed(store, lambda connection: ["journal", "jsonl", "perf"], 30)
    retention._leads()
    while retention.deliver():
        pass
    store.close()
    return took


def test_only_what_is_old_is_reduced(database: Path) -> None:
    fill(database, 300, days=31)
    fill(database, 5, days=29)
    reduce_all(database)
    assert whole(database) == [301, 302, 303, 304, 305]


def test_what_a_sink_was_not_delivered_stays_whole(database: Path) -> None:
    fill(database, 50, days=40, delivered=20)
    reduce_all(database)
    assert whole(database) == list(range(21, 51))


def test_dead_letters_stay_whole(database: Path) -> None:
    fill(database, 20, days=40)
    with closing(sqlite3.connect(database)) as store:
        store.execute("INSERT INTO dead_letters (sink, ref, reason, ts) VALUES ('journal', 7, 'because', '2026')")
        store.commit()
    reduce_all(database)
    assert whole(database) == [7]


def test_no_write_holds_the_store_for_long(database: Path) -> None:
    """The median and nearly all of them: a busy machine may stop any thread for as long as it likes."""
    fill(database, 5000, days=40)
    took = sorted(reduce_all(database))
    assert whole(database) == []
    assert len(took) > 30
    assert statistics.median(took) < 0.020
    assert took[int(len(took) * 0.8)] < 0.040


def test_20_000_old_alerts_are_reduced_while_new_ones_come_in(
    service: Callable[..., Any], environ: dict[str, str], database: Path, alert: Make, wait_until: Wait
) -> None:
    fill(database, 20_000, days=40)
    environ["RETENTION_DAYS"] = "30"
    running = service().start()
    with httpx.Client(base_url=running.url) as client:

        def cursor() -> int:
            with closing(sqlite3.connect(database)) as store:
                row = store.execute("SELECT delivered FROM outbox WHERE sink = ?", (status.RETENTION,)).fetchone()
            return int(row[0]) if row else 0

        wait_until(lambda: cursor() > 0)
        took, begun = list[float](), time.monotonic()
        while time.monotonic() - begun < 3:
            answer = client.post("/tv", json=alert(engine="TV_TEST", comment="new"))
            assert answer.status_code == 200
            took.append(answer.elapsed.total_seconds())
        wait_until(lambda: cursor() >= 20_000, 120)
        assert set(client.get("/api/state").json()["sinks"]) == {"journal", "jsonl", "perf"}
    running.stop()
    assert whole(database) == list(range(20_001, 20_001 + len(took)))
    assert statistics.median(took) < 0.25
