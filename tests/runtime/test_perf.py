"""perf: what the ledger takes, refuses and adds up to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from runtime.http import Edge
from runtime.perf.app import Perf
from runtime.perf.curve import Curve

OPEN = {"type": "OPEN", "trade_id": "t1", "engine": "GOLD_CFD_LONG", "symbol": "XAUUSD", "side": "LONG"}
OPEN |= {"entry": 2000, "stop": 1995, "qty": 1, "risk_usd": 5, "meta": {"tf": "15"}}
SUMMARY = ["equity0", "total_trades", "closed_trades", "open_trades", "winrate_pct", "avg_r", "pnl_realized"]
SUMMARY += ["equity_last", "max_dd", "max_dd_pct", "open_risk_by_engine", "engines", "last_event_ts"]
ENGINE = ["total", "closed", "wins", "pnl", "avg_r", "open_risk", "winrate"]


def tell(client: TestClient, body: Any, **changes: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body | changes).encode()
    return client.post("/perf/event", content=content)


def trade(client: TestClient, name: str, exit_price: float, **changes: Any) -> Any:
    assert tell(client, OPEN, trade_id=name, **changes).status_code == 200
    return tell(client, {"type": "CLOSE", "trade_id": name, "exit": exit_price})


def test_the_log_books_first_trade(perf: TestClient) -> None:
    answer = trade(perf, "first", 2000.7).json()
    assert answer == {"ok": True, "trade_id": "first", "pnl": pytest.approx(0.7), "r": pytest.approx(0.14)}
    summary = perf.get("/perf/summary").json()
    assert list(summary) == SUMMARY
    assert summary["equity_last"] == pytest.approx(10000.7)
    assert list(summary["engines"]["GOLD_CFD_LONG"]) == ENGINE


def test_an_empty_ledger_claims_nothing(perf: TestClient) -> None:
    summary = perf.get("/perf/summary").json()
    assert (summary["winrate_pct"], summary["avg_r"], summary["last_event_ts"]) == (None, None, None)
    assert (summary["equity_last"], summary["max_dd"], summary["engines"]) == (10000, 0, {})
    assert perf.get("/perf/equity").json() == {"series": [], "dd": {"max_dd": 0, "max_dd_pct": 0}}


def test_wins_losses_and_open_risk_by_engine(perf: TestClient) -> None:
    trade(perf, "a", 2010, qty=10, risk_usd=50)  # +100, 2R
    trade(perf, "b", 1995, qty=10, risk_usd=50)  # -50, -1R
    trade(
        perf, "c", 68_500, engine="COINM_SHORT", side="SHORT", entry=68_000, stop=69_000, qty=0.1, risk_usd=100
    )  # -50
    tell(perf, OPEN, trade_id="d", engine="COINM_SHORT", side="SHORT", entry=68_000, stop=69_000, qty=0.1, risk_usd=0)
    summary = perf.get("/perf/summary").json()
    assert (summary["total_trades"], summary["closed_trades"], summary["open_trades"]) == (4, 3, 1)
    assert summary["pnl_realized"] == pytest.approx(0)
    assert summary["avg_r"] == pytest.approx((2 - 1 - 0.5) / 3)
    assert summary["winrate_pct"] == pytest.approx(100 / 3)
    assert (summary["max_dd"], summary["max_dd_pct"]) == (pytest.approx(100), pytest.approx(100 / 10_100 * 100))
    assert summary["open_risk_by_engine"] == {"COINM_SHORT": pytest.approx(100)}
    assert summary["engines"]["GOLD_CFD_LONG"]["winrate"] == 50
    series = perf.get("/perf/equity").json()["series"]
    assert [point["equity"] for point in series] == [
        pytest.approx(10_100),
        pytest.approx(10_050),
        pytest.approx(10_000),
    ]


def test_r_is_null_when_the_risk_is_unknown(perf: TestClient) -> None:
    assert trade(perf, "a", 2010, stop=None, risk_usd=None).json()["r"] is None
    assert trade(perf, "b", 2010, risk_usd=None).json()["r"] == pytest.approx(2)
    assert perf.get("/perf/summary").json()["avg_r"] == pytest.approx(2)


def test_open_is_idempotent_while_the_trade_is_open(perf: TestClient) -> None:
    assert tell(perf, OPEN).json()["trade_id"] == "t1"
    assert tell(perf, OPEN, entry=2001).json() == {"ok": True, "trade_id": "t1", "existing": True}
    (opened,) = perf.get("/perf/open").json()["trades"]
    assert (opened["entry"], opened["meta"]) == (2000, {"tf": "15"})
    assert tell(perf, {"type": "CLOSE", "trade_id": "t1", "exit": 2001}).status_code == 200
    assert tell(perf, OPEN).status_code == 409


def test_an_open_without_an_id_is_given_one(perf: TestClient) -> None:
    ids = {tell(perf, OPEN, trade_id=None).json()["trade_id"] for _ in range(3)}
    assert len(ids) == 3
    assert {row["trade_id"] for row in perf.get("/perf/open").json()["trades"]} == ids


@pytest.mark.parametrize("kind", ["CLOSE", "UPDATE"])
def test_an_unknown_trade_is_a_404_and_a_closed_one_a_409(perf: TestClient, kind: str) -> None:
    body = {"type": kind, "trade_id": "t1", "exit": 2001, "mark": 2001}
    assert tell(perf, body).status_code == 404
    trade(perf, "t1", 2005)
    assert tell(perf, body).status_code == 409
    assert perf.get("/perf/trades").json()["trades"][0]["exit"] == 2005


def test_update_keeps_the_mark(perf: TestClient) -> None:
    tell(perf, OPEN)
    assert tell(perf, {"type": "update", "trade_id": "t1", "mark": "2003.5"}).json()["mark"] == 2003.5
    assert perf.get("/perf/open").json()["trades"][0]["mark"] == 2003.5


@pytest.mark.parametrize("engine", ["TV_TEST", "NGROK_TEST", "TEST", "TEST_X", "tv_test"])
def test_test_engines_never_enter_the_ledger(perf: TestClient, engine: str) -> None:
    answer = tell(perf, OPEN, engine=engine, stop=9999)
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    assert "ignored" in answer.json()
    assert perf.get("/perf/summary").json()["total_trades"] == 0


WRONG: list[tuple[str, Any]] = [
    ("side", "FOO"), ("side", "BUY"), ("side", None), ("qty", -1), ("qty", 0), ("qty", None), ("qty", True),
    ("qty", 1e16), ("entry", float("nan")), ("entry", float("inf")), ("entry", 0), ("entry", "x"), ("stop", 2000),
    ("stop", 2001), ("stop", -1), ("risk_usd", -1), ("risk_usd", float("inf")), ("engine", 1), ("engine", None),
    ("symbol", ""), ("trade_id", 5), ("trade_id", "x" * 129), ("trade_id", "a\nb"), ("type", "NOPE"),
    ("type", None), ("meta", [1]), ("meta", {"a": float("nan")}), ("ts", "yesterday"),
    ("ts", "2026-02-15T10:00:00"), ("ts", True), ("ts", 1e300),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_value_is_refused_by_its_name(perf: TestClient, field: str, value: Any) -> None:
    answer = tell(perf, OPEN, **{field: value})
    assert (answer.status_code, answer.json().get("field")) == (400, field)
    assert perf.get("/perf/open").json() == {"trades": []}


@pytest.mark.parametrize("ts", ["2026-02-15T10:00:00Z", "2026-02-15T05:00:00-05:00", 1771149600, 1771149600000])
def test_times_are_kept_in_utc(perf: TestClient, ts: Any) -> None:
    tell(perf, OPEN, ts=ts)
    assert perf.get("/perf/open").json()["trades"][0]["opened_ts"] == "2026-02-15T10:00:00.000000+00:00"


def test_trades_are_filtered(perf: TestClient) -> None:
    trade(perf, "a", 2001)
    tell(perf, OPEN, trade_id="b", symbol="XAGUSD")
    tell(perf, OPEN, trade_id="c", engine="OTHER")

    def ids(query: str) -> list[str]:
        return [row["trade_id"] for row in perf.get(f"/perf/trades?{query}").json()["trades"]]

    assert ids("") == ["c", "b", "a"]
    assert (ids("limit=1"), ids("engine=OTHER"), ids("status=closed")) == (["c"], ["c"], ["a"])
    assert (ids("symbol=XAGUSD"), ids("symbol=%27%20OR%201=1")) == (["b"], [])


_text = st.text(st.characters(exclude_categories=()))
_value = st.none() | st.booleans() | st.integers() | st.floats() | _text | st.lists(st.integers(), max_size=2)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from([*OPEN, "exit", "mark", "ts"]), _value, max_size=4))
def test_no_value_breaks_it(perf: TestClient, changes: dict[str, Any]) -> None:
    assert tell(perf, OPEN, **changes).status_code in {200, 400, 404, 409}
    assert perf.get("/perf/summary").status_code == 200


@pytest.fixture
def stranger(perf_app: Perf) -> Iterator[TestClient]:
    with TestClient(Edge(perf_app.app), raise_server_exceptions=False, client=("192.0.2.7", 5)) as client:
        yield client


PAGES = ["/perf/summary", "/perf/open", "/perf/trades", "/perf/equity"]


@pytest.mark.parametrize("path", PAGES)
def test_other_machines_need_the_token(stranger: TestClient, environ: dict[str, str], path: str) -> None:
    refused = stranger.get(path, headers={"X-Forwarded-For": "127.0.0.1", "Authorization": "Bearer wrong"})
    assert (refused.status_code, refused.headers["www-authenticate"].split()[0]) == (401, "Bearer")
    token = environ["PERF_TOKEN"]
    assert stranger.get(path, headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert stranger.get("/health").status_code == 200


def test_a_stranger_cannot_write(stranger: TestClient) -> None:
    assert tell(stranger, OPEN).status_code == 401
    assert tell(stranger, b"nonsense").status_code == 401


@pytest.mark.parametrize(
    ("address", "here"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False),
     ("::ffff:10.0.0.1", False), ("testclient", False), (None, False)],
)  # fmt: skip
def test_only_this_machine_is_loopback(address: str | None, here: bool) -> None:
    from runtime.auth import is_loopback

    assert is_loopback(address) is here


def test_a_killed_ledger_keeps_what_it_answered(service: Callable[..., Any]) -> None:
    running = service("runtime.perf").start()
    acked = [running.post({**OPEN, "trade_id": f"t{n}"}, "/perf/event").json()["trade_id"] for n in range(20)]
    running.kill()
    running.start()
    assert {row["trade_id"] for row in running.get("/perf/open")["trades"]} == set(acked)


@given(
    start=st.floats(1, 1e6),
    profits=st.lists(st.floats(-1e4, 1e4), max_size=30),
)
def test_a_drawdown_is_never_negative_nor_deeper_than_the_whole_range(start: float, profits: list[float]) -> None:
    curve, values = Curve(start), [start]
    for profit in profits:
        curve.step("2026-02-15T10:00:00.000000+00:00", profit)
        values.append(curve.equity)
    assert 0 <= curve.amount <= max(values) - min(values) + 1e-6
    assert (curve.amount == 0) == (curve.percent == 0)
