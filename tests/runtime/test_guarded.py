"""Guards and bars as a sender meets them: what is refused, what still passes, what is kept and counted."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from starlette.testclient import TestClient

from runtime import settings
from runtime.http import Edge
from runtime.router.guards_standing import Calendar
from runtime.store import Store, tables
from runtime.webhook import guarding, routing
from runtime.webhook.alert import read
from runtime.webhook.app import Webhook
from runtime.webhook.events import Origin
from runtime.webhook.pipeline import Arrival, Pipeline
from tests.runtime.outbox_kit import delivering
from tests.runtime.postgres import Postgres
from tests.runtime.process_kit import Daemon

Make = Callable[..., dict[str, Any]]
Desk = Callable[..., TestClient]
MONTREAL = ZoneInfo("America/Montreal")
OPS = "ops-key-of-the-tests"
GOLD = {"engine": "GOLD_CFD_LONG", "symbol": "XAUUSD"}
SHORT = {"engine": "COINM_SHORT", "signal": "SELL", "symbol": "BTC", "price": 68000, "tp": 66000, "sl": 69000}
LONG = {"engine": "USDTM_LONG", "signal": "BUY", "symbol": "BTC", "price": 68000, "tp": 70000, "sl": 67000}


@pytest.fixture
def desk(environ: dict[str, str]) -> Iterator[Desk]:
    """A webhook with these guards in its engines file, and other engines beside the built-in ones."""
    with ExitStack() as stack:

        def start(sized: Any = None, /, **guards: Any) -> TestClient:
            found = {"engines": sized or {}} | ({"guards": guards} if guards else {})
            Path(environ["ENGINES_PATH"]).write_text(json.dumps(found))
            app = Edge(Webhook(settings.webhook(environ)).app)
            client = TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 5))
            stack.enter_context(client)
            stack.enter_context(delivering(environ))
            return client

        yield start


@pytest.fixture
def rows(environ: dict[str, str]) -> Callable[[str], list[Any]]:
    def query(sql: str) -> list[Any]:
        with closing(sqlite3.connect(Path(environ["TRADING_STATE_DIR"]) / "webhook.db")) as store:
            return store.execute(sql).fetchall()

    return query


def told(rows: Callable[[str], list[Any]]) -> list[dict[str, Any]]:
    return [json.loads(body) for (body,) in rows("SELECT body FROM perf_messages ORDER BY id")]


def send(client: TestClient, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = client.post("/tv", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def newest(client: TestClient, query: str = "&outcome=all") -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/events?limit=1{query}").json()["events"][0]
    return found


@pytest.fixture
def trade(alert: Make) -> Callable[..., None]:
    """Opens gold at 2000 with its stop at 1995, and closes it at `exit`: 2010 is +2 R, 1995 is -1 R."""
    count = iter(range(1000))

    def run(client: TestClient, exit: float) -> None:
        number = next(count)
        assert "outcome" not in send(client, alert(id=f"in{number}"))
        done = send(client, alert(id=f"out{number}", event_type="CLOSE", exit=exit))
        assert done["outcome"] == "closed"

    return run


# What is refused, and what is not.


def test_after_the_day_stop_nothing_opens_and_the_reason_is_kept(
    desk: Desk, alert: Make, trade: Callable[..., None], journal: Path, wait_until: Callable[..., None]
) -> None:
    client = desk(account={"day_stop_loss_r": 1, "equity": 10_000})
    trade(client, 1995)
    refused = send(client, alert(id="next"), 409)
    text = "-1 R today, the day stops at -1 R"
    finding = {"guard": "day_stop_loss_r", "scope": "*", "mode": "enforce", "effect": "refuse", "text": text}
    assert refused == {
        "ok": False,
        "id": 3,
        "error": f"day_stop_loss_r: {text}",
        "outcome": "guarded",
        "guards": [finding],
    }
    shown = newest(client, "&outcome=guarded")
    assert (shown["_id"], shown["_outcome"], shown["_guards"]) == (3, "guarded", [finding])
    assert shown["_why"] == refused["error"]
    assert send(client, alert(id="next"), 409)["id"] == 4  # a refusal is not an alert that can be repeated
    assert client.get("/api/events").json()["events"][0]["_id"] == 2  # refused ones are not among the accepted
    wait_until(lambda: client.get("/api/state").json()["journal_pending"] == 0)
    assert journal.read_text().count("\n## ") + journal.read_text().startswith("## ") == 2


def test_warnings_open_and_are_shown(desk: Desk, alert: Make, trade: Callable[..., None]) -> None:
    client = desk(mode="warn", engines={"GOLD_CFD_LONG": {"max_trades_day": 1}})
    trade(client, 2010)
    answer = send(client, alert(id="next"))
    assert [one["text"] for one in answer["guards"]] == ["1 of 1 trades today"]
    shown = newest(client)
    assert (shown["_outcome"], shown["qty"], shown["_guards"]) == ("opened", 3, answer["guards"])
    assert shown["_guards"][0]["mode"] == "warn"


def test_a_losing_streak_halves_the_risk_until_a_win(desk: Desk, alert: Make, trade: Callable[..., None]) -> None:
    client = desk(engines={"GOLD_CFD_LONG": {"losing_streak": 2}})
    for exit in (1995, 1996):
        trade(client, exit)
    trade(client, 2010)
    events = client.get("/api/events?limit=100").json()["events"]
    opened = [(one["qty"], one["risk_usd"]) for one in reversed(events) if one["_outcome"] == "opened"]
    assert opened == [(3, 15), (3, 15), (1.5, 7.5)]
    (halved,) = [one for one in events if "_guards" in one]
    assert halved["_guards"][0]["effect"] == "halve"
    send(client, alert(id="after the win"))
    assert newest(client)["qty"] == 3


def test_what_closes_and_records_always_passes(desk: Desk, alert: Make) -> None:
    client = desk(account={"day_stop_loss_r": 1})
    opened = [send(client, alert(id=str(number), trade_id=f"t{number}"))["id"] for number in range(3)]
    assert len(opened) == 3
    client.post("/api/pause", json={"ops_key": OPS, "reason": "dentist"})
    refused = send(client, alert(id="x"), 409)
    assert refused["guards"][0]["guard"] == "pause"
    assert refused["error"].endswith(": dentist")
    assert send(client, alert(id="y", event_type="UPDATE", mark=2001))["outcome"] == "updated"
    assert send(client, alert(id="z", event_type="CLOSE", trade_id="t0", exit=2001))["trades"] == ["t0"]
    bar = {"key": alert()["key"], "event_type": "BAR", "symbol": "XAUUSD", "high": 2001, "low": 1999, "close": 2000}
    assert send(client, bar)["outcome"] == "updated"
    assert send(client, alert(id="o", signal="SELL", sl=2005, tp=1990))["trades"] == ["t1", "t2"]  # opposite
    assert send(client, alert(engine="TV_TEST")) == {"ok": True, "id": 9}
    assert send(client, alert(engine="XAU_M5_SCALP")) == {"ok": True, "id": 10}  # not sized: recorded
    assert send(client, alert(id="c", event_type="CLOSE"))["outcome"] == "ignored"
    client.post("/api/resume", json={"ops_key": OPS})
    assert send(client, alert(id="again")) == {"ok": True, "id": 12}


def test_a_reversal_that_is_held_back_closes_and_opens_nothing(
    desk: Desk, alert: Make, rows: Callable[[str], list[Any]]
) -> None:
    both = {"EURUSD_FTMO": {"direction": "both", "equity": 50_000, "risk_pct": 0.5, "qty_step": 0.01}}
    client = desk(both, engines={"EURUSD_FTMO": {"max_trades_day": 1}})
    euro = {"engine": "EURUSD_FTMO", "symbol": "EURUSD", "price": 1.1}
    send(client, alert(**euro, sl=1.09, tp=1.12))
    done = send(client, alert(**euro | {"price": 1.105}, signal="SELL", sl=1.11, tp=1.09))
    assert (done["outcome"], done["reason"]) == (
        "closed",
        "reversed, and held back by max_trades_day: 1 of 1 trades today",
    )
    assert done["guards"][0]["guard"] == "max_trades_day"
    assert [(row["type"], row.get("exit")) for row in told(rows)] == [("OPEN", None), ("CLOSE", 1.105)]
    assert client.get("/api/guards").json()["standings"]["EURUSD_FTMO"]["r_today"] == 0.5


def test_a_pause_of_one_engine_leaves_the_others(desk: Desk, alert: Make) -> None:
    client = desk()
    client.post("/api/pause", json={"ops_key": OPS, "scope": "COINM_SHORT"})
    refused = send(client, alert(**SHORT), 409)
    assert refused["guards"][0]["scope"] == "COINM_SHORT"
    assert client.get("/api/state").json()["active_engine"] is None  # and it took no lock
    send(client, alert(**LONG))
    assert client.get("/api/state").json()["active_engine"] == "USDTM_LONG"


def test_a_locked_engine_hears_of_the_lock_first(desk: Desk, alert: Make) -> None:
    client = desk(engines={"COINM_SHORT": {"max_trades_day": 0}})
    send(client, alert(**LONG))
    answer = send(client, alert(**SHORT), 409)
    assert (answer["outcome"], answer["active_engine"]) == ("locked", "USDTM_LONG")
    assert "guards" not in answer


def test_a_repetition_is_no_second_trade_of_the_day(desk: Desk, alert: Make) -> None:
    client = desk(account={"max_trades_day": 1})
    assert send(client, alert(id="a")) == {"ok": True, "id": 1}
    assert send(client, alert(id="a")) == {"ok": True, "id": 1, "duplicate": True}
    send(client, alert(id="b"), 409)


def test_open_trades_and_symbols(desk: Desk, alert: Make) -> None:
    client = desk(account={"open_trades_max": 2}, engines={"GOLD_CFD_LONG": {"symbols": ["XAUUSD"]}})
    assert send(client, alert(symbol="XAGUSD"), 409)["guards"][0]["guard"] == "symbols"
    send(client, alert(id="1"))
    send(client, alert(**LONG, id="2"))
    assert send(client, alert(id="3"), 409)["error"] == "open_trades_max: 2 of 2 trades open"
    send(client, alert(id="4", event_type="CLOSE", exit=2001))
    send(client, alert(id="5"))


def test_a_checklist_must_be_confirmed_first(desk: Desk, alert: Make) -> None:
    client = desk(engines={"GOLD_CFD_LONG": {"checklist": ["dxy", "news"]}})
    assert send(client, alert(), 409)["error"] == "checklist: 0 of 2 confirmed; missing: dxy, news"
    client.post("/api/confirm", json={"ops_key": OPS, "item": "all"})
    send(client, alert())


# In one batch, and over restarts.


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "batch.db", tables.SCHEMA)
    yield opened
    opened.close()


def arrivals(pipeline: Pipeline, alert: Make, count: int, **changes: Any) -> list[Arrival]:
    now, origin = datetime(2026, 2, 17, 17, tzinfo=UTC), Origin("192.0.2.1")
    sized = [pipeline.size(read(alert(id=f"{changes} {number}", **changes))) for number in range(count)]
    return [Arrival(one, now + timedelta(seconds=number), origin) for number, one in enumerate(sized)]


def test_each_alert_of_a_batch_counts_for_the_next(store: Store, environ: dict[str, str], alert: Make) -> None:
    guards = {"account": {"max_trades_day": 3, "day_stop_gain_r": 4, "modes": {"day_stop_gain_r": "warn"}}}
    Path(environ["ENGINES_PATH"]).write_text(json.dumps({"guards": guards}))
    pipeline = Pipeline(settings.webhook(environ))
    batch = [*arrivals(pipeline, alert, 2), *arrivals(pipeline, alert, 1, event_type="CLOSE", exit=2010)]
    batch += arrivals(pipeline, alert, 2, price=2001)
    results = store.submit(lambda connection: pipeline.commit(connection, batch)).result(5)
    assert [one and one.decision.outcome for one in results] == ["opened", "opened", "closed", "opened", "guarded"]
    assert [[found.guard for found in one.findings] for one in results if one] == [
        [], [], [], ["day_stop_gain_r"], ["max_trades_day", "day_stop_gain_r"],
    ]  # fmt: skip


def statements(store: Store, pipeline: Pipeline, batch: list[Arrival]) -> list[str]:
    said: list[str] = []

    def commit(connection: Any) -> None:
        driver = connection.connection.dbapi_connection
        driver.set_trace_callback(said.append)
        pipeline.commit(connection, batch)
        driver.set_trace_callback(None)

    store.submit(commit).result(5)
    return [one for one in said if any(name in one for name in ("pauses", "standings", "confirmations", "count("))]


def test_without_guards_a_batch_asks_one_question_more(store: Store, environ: dict[str, str], alert: Make) -> None:
    pipeline = Pipeline(settings.webhook(environ))
    assert len(statements(store, pipeline, arrivals(pipeline, alert, 50))) == 1
    assert statements(store, pipeline, arrivals(pipeline, alert, 50, event_type="UPDATE")) == []
    guards = {"preset": "xauusd-v2.1", "account": {"open_trades_max": 999, "checklist": None}}
    Path(environ["ENGINES_PATH"]).write_text(json.dumps({"guards": guards}))
    guarded = Pipeline(settings.webhook(environ))
    assert len(statements(store, guarded, arrivals(guarded, alert, 50, price=2001))) == 5  # 3 reads, 2 to write


LEVELS: dict[str, dict[str, Any]] = {
    "GOLD_CFD_LONG": {"symbol": "XAUUSD", "price": 2000, "sl": 1995, "tp": 2010},
    "USDTM_LONG": LONG,
    "COINM_SHORT": SHORT,
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(LEVELS)),
        st.sampled_from(["SIGNAL", "SIGNAL", "CLOSE", "BAR", "BAR of all", "against"]),
        st.sampled_from([-1, -0.4, 0.3, 1, 2]),  # where it goes, in distances of the stop
        st.sampled_from([60, 3600, 6 * 3600]),
    ),
    min_size=1,
    max_size=14,
)


def steps_as_alerts(pipeline: Pipeline, steps: list[tuple[Any, ...]]) -> Iterator[Arrival]:
    now = datetime(2026, 3, 7, 17, tzinfo=UTC)  # the day before Montreal's clocks go forward
    for number, (engine, what, way, wait) in enumerate(steps):
        levels, now = LEVELS[engine], now + timedelta(seconds=wait)
        price = levels["price"] + way * (levels["price"] - levels["sl"])
        body: dict[str, Any] = {"tf": "15", "id": number, "engine": engine, "signal": "BUY"} | levels
        if what == "CLOSE":
            body |= {"event_type": "CLOSE", "exit": price}
        elif what == "against":
            body |= {"signal": "BUY" if engine == "COINM_SHORT" else "SELL", "tp": 0, "sl": 0, "price": price}
        elif what != "SIGNAL":
            body = {
                "event_type": "BAR",
                "symbol": levels["symbol"],
                "high": price + 1,
                "low": price - 1,
                "close": price,
            }
            body |= {"id": number} | ({"engine": engine} if what == "BAR" else {})
        yield Arrival(pipeline.size(read(body)), now, Origin("192.0.2.1"))


@given(STEPS, st.lists(st.integers(1, 4), max_size=5))
def test_what_is_counted_is_what_was_traded_however_alerts_are_grouped(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]], sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("counted")
    guards = {
        "account": {"max_trades_day": 3, "losing_streak": 2},
        "engines": {"GOLD_CFD_LONG": {"open_trades_max": 1}},
    }
    (folder / "engines.json").write_text(json.dumps({"guards": guards}))
    env = {"TV_WEBHOOK_KEY": "key-of-the-tests", "OPS_ADMIN_KEY": "ops-key-of-the-tests"}
    env |= {"TRADING_STATE_DIR": str(folder), "ENGINES_PATH": str(folder / "engines.json")}
    pipeline, found = Pipeline(settings.webhook(env)), []
    for name, groups in (("one", [1] * len(steps)), ("many", [*sizes, len(steps)])):
        with closing(Store(folder / f"{name}.db", tables.SCHEMA)) as kept:
            rest, answers = list(steps_as_alerts(pipeline, steps)), []
            for size in groups:
                part, rest = rest[:size], rest[size:]
                answers += kept.submit(lambda connection, part=part: pipeline.commit(connection, part)).result(5)
            with kept.read() as connection:
                rows = [row._asdict() for row in connection.execute(select(tables.trades).order_by("opened_by"))]
                lock = routing.lock(connection)[0]
                found.append((answers, rows, lock, guarding.load(connection, pipeline.registry.guards).standings))
    assert found[0] == found[1]
    _, rows, lock, standings = found[0]
    in_zone = Calendar(MONTREAL)
    opened = Counter(in_zone.day(datetime.fromisoformat(row["opened_ts"])) for row in rows)
    assert all(count <= 3 for count in opened.values())
    assert lock is None or any(row["locked"] and row["engine"] == lock.engine for row in rows)
    ended = sorted((row for row in rows if row["closed_by"]), key=lambda row: (row["closed_by"], row["opened_by"]))
    for scope, standing in standings.items():
        mine = [row for row in ended if scope in ("*", row["engine"])]
        assert standing.results == pytest.approx([row["r"] for row in mine])
        assert standing.total == pytest.approx(sum(row["pnl"] for row in mine))
        assert standing.trades == sum(
            in_zone.day(datetime.fromisoformat(row["opened_ts"])) == standing.day
            for row in rows
            if scope in ("*", row["engine"])
        )


def test_pauses_and_counters_survive_a_kill(
    service: Callable[[], Any], environ: dict[str, str], alert: Make, rows: Callable[[str], list[Any]]
) -> None:
    guards = {"account": {"max_trades_day": 2}}
    Path(environ["ENGINES_PATH"]).write_text(json.dumps({"guards": guards}))
    first = service().start()
    assert first.post(alert(id="1")).status_code == 200
    assert first.post({"ops_key": OPS, "scope": "GOLD_CFD_LONG"}, "/api/pause").status_code == 200
    first.kill()
    second = service().start()
    refused = second.post(alert(id="2"))
    assert (refused.status_code, refused.json()["guards"][0]["guard"]) == (409, "pause")
    assert second.post({"ops_key": OPS, "scope": "GOLD_CFD_LONG"}, "/api/resume").status_code == 200
    assert second.post(alert(id="2")).status_code == 200
    second.kill()
    third = service().start()
    refused = third.post(alert(id="3"))
    assert (refused.status_code, refused.json()["error"]) == (409, "max_trades_day: 2 of 2 trades today")
    assert third.get("/api/guards")["standings"]["*"]["trades_today"] == 2
    assert rows("SELECT count(*) FROM events WHERE outcome = 'guarded'") == [(2,)]
    assert rows("SELECT count(*) FROM trades") == [(2,)]


def test_two_webhooks_on_one_postgresql_count_together(
    daemon: Callable[[str], Daemon], environ: dict[str, str], postgres: Postgres, alert: Make
) -> None:
    Path(environ["ENGINES_PATH"]).write_text(json.dumps({"guards": {"account": {"max_trades_day": 5}}}))
    environ["STORE_URL"] = postgres.url(postgres.database())
    two = daemon("runtime.webhook").start(), daemon("runtime.webhook").start()
    assert two[0].post({"ops_key": OPS}, "/api/pause").status == 200
    assert two[1].post(alert(id="paused")).status == 409
    assert two[1].post({"ops_key": OPS}, "/api/resume").status == 200
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(two[number % 2].post, alert(id=str(number))) for number in range(12)]
    status = Counter(one.result().status for one in sent)
    assert status == {200: 5, 409: 7}
    assert two[0].get("/api/guards")["standings"]["*"]["trades_today"] == 5


# Bars.


def bar(alert: Make, **changes: Any) -> dict[str, Any]:
    base = {"key": alert()["key"], "event_type": "BAR", "symbol": "BTC", "tf": "15"}
    return base | {"open": 68000, "high": 68100, "low": 67900, "close": 68050} | changes


def test_a_bar_ends_a_trade_at_its_stop_and_frees_the_lock(
    desk: Desk, alert: Make, rows: Callable[[str], list[Any]]
) -> None:
    client = desk(account={"losing_streak": 3})
    send(client, alert(**SHORT, trade_id="s"))
    assert send(client, bar(alert))["outcome"] == "updated"
    assert client.get("/api/state").json()["active_engine"] == "COINM_SHORT"
    done = send(client, bar(alert, high=69100, low=65000))  # both within: the stop
    assert done == {"ok": True, "id": 3, "outcome": "closed", "reason": "closed 1 at the stop", "trades": ["s"]}
    assert client.get("/api/state").json()["active_engine"] is None
    heard = told(rows)
    assert [(one["type"], one.get("mark"), one.get("exit")) for one in heard] == [
        ("OPEN", None, None),
        ("UPDATE", 68050, None),
        ("CLOSE", None, 69000),
    ]
    assert rows("SELECT exit, closed_why, round(r, 6), closed_by FROM trades") == [(69000, "stop", -1, 3)]
    shown = client.get("/api/guards").json()["standings"]["*"]
    assert (shown["r_today"], shown["losing_streak"], shown["trades_today"]) == (-1, 1, 1)
    assert round(shown["usd_today"]) == -60
    send(client, alert(**LONG))


def test_a_bar_concerns_its_symbol_and_its_engine(desk: Desk, alert: Make, rows: Callable[[str], list[Any]]) -> None:
    both = {"OTHER_BTC": {"direction": "both", "equity": 1000, "risk_pct": 1, "qty_step": 0.001}}
    client = desk(both)
    send(client, alert(**LONG, trade_id="l"))
    send(client, alert(**LONG | {"engine": "OTHER_BTC"}, trade_id="o"))
    send(client, alert(trade_id="g"))
    assert send(client, bar(alert, symbol="ETH"))["reason"] == "no trade that it concerns is open"
    assert send(client, bar(alert, engine="OTHER_BTC", high=70001, close=70001))["trades"] == ["o"]
    assert send(client, bar(alert, engine="TV_TEST", low=1))["outcome"] == "ignored"
    assert send(client, bar(alert, trade_id="nobody", low=1))["outcome"] == "ignored"
    gap = bar(alert, open=66000, high=66500, low=65000, close=66100)
    assert send(client, gap)["trades"] == ["l"]
    assert rows("SELECT trade_id, exit, closed_why FROM trades ORDER BY opened_by") == [
        ("l", 66000, "stop"), ("o", 70000, "target"), ("g", None, None),
    ]  # fmt: skip


def test_a_bar_that_began_before_the_trade_changes_nothing(desk: Desk, alert: Make) -> None:
    client = desk()
    send(client, alert(**LONG))
    before = datetime.now(UTC) - timedelta(minutes=15, seconds=1)
    crash = bar(alert, low=1000, ts=before.isoformat())
    done = send(client, crash)
    assert (done["outcome"], done["reason"]) == ("ignored", "every trade it concerns is younger")
    during = bar(alert, low=1000, ts=(before + timedelta(minutes=14)).timestamp() * 1000)
    assert send(client, during)["reason"] == "marked 1"
    now = bar(alert, low=1000, ts=datetime.now(UTC).isoformat())
    assert send(client, now)["outcome"] == "closed"


def test_the_same_bar_counts_once_and_the_next_one_too(desk: Desk, alert: Make) -> None:
    client = desk()
    send(client, alert(**LONG))
    assert send(client, bar(alert))["id"] == 2
    assert send(client, bar(alert)) == {"ok": True, "id": 2, "duplicate": True}
    assert send(client, bar(alert, close=68051))["id"] == 4


def test_quiet_bars_stay_out_of_the_log_book(
    desk: Desk, alert: Make, journal: Path, wait_until: Callable[..., None]
) -> None:
    client = desk()
    send(client, alert(**LONG))
    send(client, bar(alert))
    send(client, bar(alert, symbol="ETH"))
    send(client, bar(alert, high=71000, close=70500))
    wait_until(lambda: client.get("/api/state").json()["journal_pending"] == 0)
    text = journal.read_text()
    assert text.count("```json") == 2
    assert '"outcome"' not in text.split("```json")[1]
    assert len(client.get("/api/events").json()["events"]) == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"high": None}, "high"), ({"low": "x"}, "low"), ({"close": 0}, "close"), ({"open": -1}, "open"),
     ({"low": 69000}, "low"), ({"close": 70000}, "close"), ({"open": 60000}, "open"), ({"high": True}, "high"),
     ({"symbol": None}, "symbol"), ({"engine": 5}, "engine"), ({"ts": "soon"}, "ts"), ({"ts": "20260217"}, "ts"),
     ({"tf": []}, "tf"), ({"ts": [1]}, "ts")],
)  # fmt: skip
def test_a_bar_that_cannot_be_one_is_refused_by_its_field(
    desk: Desk, alert: Make, changes: dict[str, Any], field: str
) -> None:
    client = desk()
    answer = send(client, bar(alert, **changes), 400)
    assert answer["field"] == field
    assert newest(client)["_outcome"] == "invalid"
