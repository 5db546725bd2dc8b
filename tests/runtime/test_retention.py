"""Old alerts are reduced to what is known of them, without anyone noticing, and never before they are delivered."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, func, insert, select

from runtime import clock, settings
from runtime.journal.outbox import load
from runtime.keys import Secret
from runtime.outbox import status
from runtime.outbox.retention import KEPT, Retention, reduced
from runtime.store import Store
from runtime.store.tables import SCHEMA, dead_letters, events, outbox
from tests.runtime.test_outbox import ask

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
def place(environ: dict[str, str]) -> Path | Secret:
    """A store with this release's schema and nothing in it."""
    found = settings.webhook(environ).database
    Store(found, SCHEMA).close()
    return found


def fill(place: Path | Secret, count: int, *, days: float, delivered: int | None = None) -> None:
    """`count` alerts, `days` old; the sinks are done with the first `delivered` (all)."""
    ts, text = clock.iso(clock.now() - timedelta(days=days)), json.dumps(RAW)
    row = {name: RAW[name] for name in ("engine", "signal", "symbol", "tf", "price", "sl", "reason")}
    row |= {"ts": ts, "ip": "i", "payload": text, "outcome": "recorded", "status": 200}
    ask(place, insert(events), [row] * count)
    ((total,),) = ask(place, select(func.max(events.c.id)))
    ask(place, delete(outbox))
    done = total if delivered is None else delivered
    ask(place, insert(outbox), [{"sink": sink, "delivered": done} for sink in ("journal", "jsonl")])


def whole(place: Path | Secret) -> list[int]:
    """The ids of the alerts that still have all they were sent with."""
    query = select(events.c.id).where(events.c.payload.contains("comment")).order_by(events.c.id)
    return [row.id for row in ask(place, query)]


def reduce_all(place: Path | Secret) -> list[float]:
    """Runs it to its end; the seconds each of its writes took."""
    store, took = Store(place, SCHEMA), list[float]()

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


def test_only_what_is_old_is_reduced(place: Path | Secret) -> None:
    fill(place, 300, days=31)
    fill(place, 5, days=29)
    reduce_all(place)
    assert whole(place) == [301, 302, 303, 304, 305]


def test_what_a_sink_was_not_delivered_stays_whole(place: Path | Secret) -> None:
    fill(place, 50, days=40, delivered=20)
    reduce_all(place)
    assert whole(place) == list(range(21, 51))


def test_dead_letters_stay_whole(place: Path | Secret) -> None:
    fill(place, 20, days=40)
    ask(place, insert(dead_letters), {"sink": "journal", "ref": 7, "reason": "because", "ts": "2026"})
    reduce_all(place)
    assert whole(place) == [7]


def test_no_write_holds_the_store_for_long(place: Path | Secret) -> None:
    """The median and nearly all of them: a busy machine may stop any thread for as long as it likes."""
    fill(place, 5000, days=40)
    took = sorted(reduce_all(place))
    assert whole(place) == []
    assert len(took) > 30
    assert statistics.median(took) < 0.020
    assert took[int(len(took) * 0.8)] < 0.040


def test_20_000_old_alerts_are_reduced_while_new_ones_come_in(
    service: Callable[..., Any], environ: dict[str, str], place: Path | Secret, alert: Make, wait_until: Wait
) -> None:
    fill(place, 20_000, days=40)
    environ["RETENTION_DAYS"] = "30"
    running, watched = service().start(), Store(place, SCHEMA)
    with closing(watched), httpx.Client(base_url=running.url) as client:

        def cursor() -> int:
            with watched.read() as connection:
                return load(connection, outbox, status.RETENTION).delivered

        wait_until(lambda: cursor() > 0)
        took, begun = list[float](), time.monotonic()
        while time.monotonic() - begun < 3:
            answer = client.post("/tv", json=alert(engine="TV_TEST", comment="new"))
            assert answer.status_code == 200
            took.append(answer.elapsed.total_seconds())
        wait_until(lambda: cursor() >= 20_000, 120)
        assert set(client.get("/api/state").json()["sinks"]) == {"journal", "jsonl", "perf"}
    running.stop()
    assert whole(place) == list(range(20_001, 20_001 + len(took)))
    assert statistics.median(took) < 0.25
