"""The router's rules as values, and as a sender meets them: the lock, opposite signals, repetitions."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from runtime import settings
from runtime.engines import DEFAULTS, Engine
from runtime.http import Edge
from runtime.router.decision import Case, Lock, Rules, Trade, decide
from runtime.webhook.app import Webhook

Make = Callable[..., dict[str, Any]]
NOW = datetime(2026, 2, 16, tzinfo=UTC)
COINM, USDTM, GOLD = DEFAULTS
SHORT = {"engine": "COINM_SHORT", "signal": "SELL", "symbol": "BTCUSDT.P", "tf": "60"}
SHORT |= {"price": 68000, "tp": 67000, "sl": 69000}
LONG = {"engine": "USDTM_LONG", "signal": "BUY", "symbol": "BTCUSDT.P", "tf": "60"}
LONG |= {"price": 68000, "tp": 70000, "sl": 67000}
LOCK = Lock("COINM_SHORT", NOW - timedelta(hours=1), NOW - timedelta(minutes=1))


def case(engine: Engine = COINM, **changes: Any) -> Case:
    side = "SHORT" if engine.direction == "short" else "LONG"
    base = {"kind": "SIGNAL", "engine": engine, "side": side, "symbol": "BTC", "sized": True, "now": NOW}
    return Case(**{**base, "rules": Rules(), **changes})


def trade(name: str = "a", symbol: str = "BTC", side: Any = "SHORT", locked: bool = True) -> Trade:
    return Trade(name, symbol, side, locked)


def test_the_lock_is_taken_kept_and_refused() -> None:
    taken = decide(case())
    assert (taken.outcome, taken.lock) == ("opened", Lock("COINM_SHORT", NOW, NOW))
    kept = decide(case(lock=LOCK))
    assert kept.lock == Lock("COINM_SHORT", LOCK.since, NOW)
    refused = decide(case(USDTM, lock=LOCK))
    assert (refused.outcome, refused.status, refused.lock) == ("locked", 409, LOCK)
    assert decide(case(GOLD, lock=LOCK)).outcome == "opened"


def test_what_opens_nothing_takes_nothing() -> None:
    for changes in ({"sized": False}, {"first": 3}, {"side": "LONG"}, {"kind": "CLOSE"}, {"kind": "UPDATE"}):
        assert decide(case(**changes)).lock is None
    assert decide(case(Engine("TEST_X", aggressive=True))).lock is None


def test_an_expired_lock_is_free() -> None:
    rules = Rules(expiry=60)
    assert decide(case(USDTM, lock=LOCK, rules=rules)).lock == Lock("USDTM_LONG", NOW, NOW)
    assert decide(case(USDTM, lock=LOCK, rules=Rules(expiry=61))).status == 409


def test_the_last_close_gives_the_lock_back() -> None:
    both = (trade(), trade("b", "ETH"))
    assert decide(case(kind="CLOSE", lock=LOCK, trades=both)).lock == LOCK
    assert decide(case(kind="CLOSE", lock=LOCK, trades=both[:1])).lock is None
    assert decide(case(kind="CLOSE", lock=LOCK, trades=(trade(), trade("b", "ETH", locked=False)))).lock is None
    assert decide(case(USDTM, kind="CLOSE", lock=LOCK, trades=(trade("c", side="LONG"),))).lock == LOCK


def test_an_opposite_signal_closes_or_is_refused() -> None:
    closed = decide(case(side="LONG", lock=LOCK, trades=(trade(), trade("b", "ETH"))))
    assert (closed.outcome, closed.status, [t.trade_id for t in closed.closes]) == ("closed", 200, ["a"])
    assert decide(case(side="LONG")).outcome == "ignored"
    assert decide(case(side="LONG", kind="OPEN", trades=(trade(),))).closes == ()
    refused = decide(case(side="LONG", rules=Rules("reject"), trades=(trade(),)))
    assert (refused.outcome, refused.status, refused.closes) == ("rejected", 400, ())


def test_an_engine_of_both_directions_reverses() -> None:
    turned = decide(case(Engine("X"), side="LONG", trades=(trade(), trade("b", side="LONG"))))
    assert (turned.outcome, [t.trade_id for t in turned.closes]) == ("opened", ["a"])


def test_a_close_by_id_closes_that_one() -> None:
    trades = (trade(), trade("b"))
    assert [t.trade_id for t in decide(case(kind="CLOSE", trade_id="b", trades=trades)).closes] == ["b"]
    assert decide(case(kind="CLOSE", trade_id="x", trades=trades)).outcome == "ignored"
    assert len(decide(case(kind="UPDATE", trades=trades)).marks) == 2


@given(
    engine=st.sampled_from([*DEFAULTS, Engine("OTHER"), Engine("TV_TEST", aggressive=True)]),
    kind=st.sampled_from(["SIGNAL", "OPEN", "UPDATE", "CLOSE"]),
    side=st.sampled_from(["LONG", "SHORT", None]),
    sized=st.booleans(),
    holder=st.sampled_from([None, "COINM_SHORT", "USDTM_LONG"]),
    first=st.sampled_from([None, 1]),
)
def test_nobody_but_its_holder_ends_a_lock(
    engine: Engine, kind: Any, side: Any, sized: bool, holder: str | None, first: int | None
) -> None:
    lock = Lock(holder, NOW, NOW) if holder else None
    made = decide(case(engine, kind=kind, side=side, sized=sized, lock=lock, first=first, trades=(trade(),)))
    if lock is not None and engine.name != holder:
        assert made.lock == lock
        assert not (engine.aggressive and made.outcome == "opened")
    if lock is None and made.lock is not None:
        assert (made.outcome, engine.aggressive) == ("opened", True)


def send(client: TestClient, alert: Make, base: dict[str, Any], **changes: Any) -> httpx.Response:
    return client.post("/tv", json=alert(**{**base, "reason": "", **changes}))


def active(client: TestClient) -> str | None:
    found: str | None = client.get("/api/state").json()["active_engine"]
    return found


def test_the_lock_over_http(webhook: TestClient, alert: Make, environ: dict[str, str]) -> None:
    assert send(webhook, alert, SHORT).status_code == 200
    assert active(webhook) == "COINM_SHORT"
    refused = send(webhook, alert, LONG)
    assert (refused.status_code, refused.json()["active_engine"]) == (409, "COINM_SHORT")
    assert send(webhook, alert, SHORT, symbol="ETHUSDT.P").status_code == 200
    assert webhook.post("/api/reset_lock", json={"ops_key": "wrong"}).status_code == 403
    assert active(webhook) == "COINM_SHORT"
    reset = webhook.post("/api/reset_lock", json={"ops_key": environ["OPS_ADMIN_KEY"]})
    assert (reset.status_code, reset.json()["was"]) == (200, "COINM_SHORT")
    assert active(webhook) is None
    assert send(webhook, alert, LONG).status_code == 200  # a refused alert was no first delivery
    assert active(webhook) == "USDTM_LONG"


def test_a_close_frees_the_lock(webhook: TestClient, alert: Make) -> None:
    send(webhook, alert, SHORT)
    done = send(webhook, alert, {"engine": "COINM_SHORT", "symbol": "BTCUSDT.P", "event_type": "CLOSE", "exit": 67000})
    assert (done.status_code, done.json()["outcome"]) == (200, "closed"), done.text
    assert active(webhook) is None


def test_a_buy_closes_the_short(webhook: TestClient, alert: Make) -> None:
    send(webhook, alert, SHORT)
    done = send(webhook, alert, SHORT, signal="BUY", tp=0, sl=0)
    assert (done.status_code, done.json()["outcome"], len(done.json()["trades"])) == (200, "closed", 1)
    nothing = send(webhook, alert, SHORT, signal="BUY", tp=0, sl=0, tf="15")
    assert (nothing.status_code, nothing.json()["outcome"]) == (200, "ignored")
    assert active(webhook) is None


@pytest.mark.parametrize("changes", [{"sl": 0}, {"sl": 67000}, {"sl": 68000.0000001}, {"engine": "TEST_COINM"}])
def test_what_is_refused_or_not_sized_takes_no_lock(webhook: TestClient, alert: Make, changes: dict[str, Any]) -> None:
    send(webhook, alert, SHORT, **changes)
    assert active(webhook) is None


def test_the_same_alert_again_is_one_alert(
    webhook: TestClient, alert: Make, journal: Any, wait_until: Callable[..., None]
) -> None:
    answers = [send(webhook, alert, SHORT).json() for _ in range(4)]
    assert answers == [{"ok": True, "id": 1}] + [{"ok": True, "id": 1, "duplicate": True}] * 3
    wait_until(lambda: webhook.get("/api/state").json()["journal_pending"] == 0)
    assert journal.read_text().count("## ") == 1
    assert [event["_outcome"] for event in webhook.get("/api/events").json()["events"]] == ["duplicate"] * 3 + [
        "opened"
    ]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [({"id": "x"}, {"id": "x", "price": 68001}, True), ({"id": "x"}, {"id": "y"}, False),
     ({"id": 7}, {"id": "7"}, True), ({"ts": 1}, {"ts": 2}, False),
     ({"time": "a"}, {"time": "a"}, True), ({}, {"tf": "15"}, False),
     ({}, {"symbol": "ETH"}, False), ({"trade_id": "t", "id": 1}, {"trade_id": "t", "id": 2}, True),
     ({"engine": "TV_TEST"}, {"engine": "TV_TEST"}, False)],
)  # fmt: skip
def test_what_makes_two_alerts_the_same(
    webhook: TestClient, alert: Make, first: dict[str, Any], second: dict[str, Any], same: bool
) -> None:
    send(webhook, alert, SHORT, **first)
    assert send(webhook, alert, SHORT, **second).json().get("duplicate", False) is same


@pytest.fixture
def quick(environ: dict[str, str]) -> Iterator[TestClient]:
    """A webhook with a short window, a lock that expires, and opposite signals refused."""
    environ |= {"DEDUPE_SECONDS": "0.2", "LOCK_EXPIRY_SECONDS": "1.5", "OPPOSITE": "reject"}
    with TestClient(Edge(Webhook(settings.webhook(environ)).app), raise_server_exceptions=False) as client:
        yield client


def test_the_settings_of_the_router(quick: TestClient, alert: Make) -> None:
    send(quick, alert, SHORT)
    assert quick.get("/api/state").json()["lock"]["expires_at"]
    refused = send(quick, alert, SHORT, signal="BUY", tp=0, sl=0)
    assert (refused.status_code, refused.json()["field"]) == (400, "signal")
    assert send(quick, alert, LONG).status_code == 409
    time.sleep(1.6)
    assert active(quick) is None
    assert send(quick, alert, LONG).status_code == 200
    assert active(quick) == "USDTM_LONG"


TRIALS = 1000


def test_of_two_aggressive_engines_exactly_one_passes(
    service: Callable[..., Any], alert: Make, environ: dict[str, str]
) -> None:
    running = service().start()
    done, barrier = threading.Event(), threading.Barrier(3)
    answers: dict[str, list[int]] = {"COINM_SHORT": [], "USDTM_LONG": []}
    threads = [threading.Thread(target=_poll, args=(running.url, done)) for _ in range(2)]
    for base in (SHORT, LONG):
        threads.append(threading.Thread(target=_race, args=(running.url, alert(**base), barrier, answers)))
    with running.drained(), httpx.Client(base_url=running.url, timeout=10) as client:
        for thread in threads:
            thread.start()
        for trial in range(TRIALS):
            barrier.wait(20)
            barrier.wait(20)
            assert sorted(answers[name][trial] for name in answers) == [200, 409], trial
            was = client.post("/api/reset_lock", json={"ops_key": environ["OPS_ADMIN_KEY"]}).json()["was"]
            assert answers[was][trial] == 200, trial
        done.set()
        for thread in threads:
            thread.join()


def _race(url: str, body: dict[str, Any], barrier: threading.Barrier, answers: dict[str, list[int]]) -> None:
    with httpx.Client(base_url=url) as client:
        for trial in range(TRIALS):
            barrier.wait(20)
            time.sleep(random.uniform(0, 0.001))
            answers[body["engine"]].append(client.post("/tv", json=body | {"id": trial}).status_code)
            barrier.wait(20)


def _poll(url: str, done: threading.Event) -> None:
    with httpx.Client(base_url=url) as client:
        while not done.is_set():
            assert client.get("/api/state").status_code == 200
            time.sleep(0.01)
