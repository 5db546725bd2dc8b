"""The ledger's bookkeeping: parts, marks, contracts, reversals, repeats, and sums that always agree."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from starlette.testclient import TestClient

from runtime.perf import arithmetic, rebuild, report
from runtime.perf.arithmetic import Position
from runtime.settings import SettingsError
from runtime.settings import perf as perf_settings
from tests.runtime.ledger_kit import EQUITY0, OPEN, Ledger, opened


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "perf.db") as made:
        yield made


def summary(book: Ledger) -> Any:
    return book.read(report.summary, EQUITY0)


def test_a_trade_is_closed_in_parts(book: Ledger) -> None:
    book.open("a")  # 10 at 100, stop 95: 50 at risk
    first = book.close("a", 110, qty=4)
    assert first == {
        "ok": True, "trade_id": "a", "pnl": 40.0, "r": 0.8, "part": {"qty": 4.0, "pnl": 40.0}, "remaining": 6.0,
    }  # fmt: skip
    half = summary(book)
    assert (half["pnl_realized"], half["equity_last"], half["open_trades"], half["winrate_pct"]) == (
        40,
        10_040,
        1,
        None,
    )
    assert half["open_risk_by_engine"] == {"E": pytest.approx(30)}
    assert book.close("a", 95) == {"ok": True, "trade_id": "a", "pnl": 10.0, "r": 0.2}
    done = summary(book)
    assert (done["closed_trades"], done["pnl_realized"], done["avg_r"]) == (1, 10, 0.2)
    assert book.rows("SELECT exit, qty_closed, status FROM trades") == [(101.0, 10.0, "CLOSED")]
    assert (done["max_dd"], book.wrong) == (30, [])


def test_more_than_is_open_cannot_be_closed(book: Ledger) -> None:
    book.open("a")
    book.close("a", 101, qty=9)
    assert book.close("a", 101, qty=1.5) == 409
    assert book.close("a", 101, qty=1)["remaining"] == 0
    assert book.close("a", 101, qty=1) == 409


def test_decimal_parts_leave_no_dust(book: Ledger) -> None:
    book.open("a", qty=0.3)
    for _ in range(3):
        book.close("a", 101, qty=0.1)
    assert book.rows("SELECT status, qty_closed FROM trades") == [("CLOSED", 0.3)]


def test_marks_are_kept_and_give_the_extremes(book: Ledger) -> None:
    book.open("a")
    for price in (98, 107, 103):
        book.mark("a", price)
    assert book.rows("SELECT price FROM marks ORDER BY seq") == [(98,), (107,), (103,)]
    assert book.rows("SELECT mae, mfe, marks, mark FROM trades") == [(20, 70, 3, 103)]
    book.close("a", 94)
    assert book.rows("SELECT mae, mfe FROM trades") == [(60, 70)]


def test_a_shorts_extremes_are_mirrored(book: Ledger) -> None:
    book.open("a", side="SHORT", stop=105)
    book.mark("a", 104)
    book.mark("a", 92)
    assert book.rows("SELECT mae, mfe FROM trades") == [(40, 80)]


@pytest.mark.parametrize(
    ("position", "exit_price", "qty", "expected"),
    [
        (Position("LONG", 2000), 2010, 3, 30), (Position("SHORT", 2000), 2010, 3, -30),
        (Position("LONG", 2000, "linear", 100), 2001.5, 0.2, 30),
        (Position("LONG", 50_000, "inverse", 100), 60_000, 5, 100),
        (Position("SHORT", 50_000, "inverse", 100), 40_000, 5, 100),
        (Position("LONG", 50_000, "inverse"), 25_000, 100, -50),
    ],
)  # fmt: skip
def test_the_profit_of_a_contract(position: Position, exit_price: float, qty: float, expected: float) -> None:
    assert arithmetic.pnl(position, exit_price, qty) == pytest.approx(expected)


def test_an_inverse_contract_gains_coins(book: Ledger) -> None:
    contract = {"contract": "inverse", "contract_value": 100, "entry": 50_000, "stop": 49_000, "qty": 5}
    book.open("a", **contract)
    assert book.rows("SELECT risk_usd FROM trades") == [(pytest.approx(10),)]  # 500 USD of notional, 2 % away
    answer = book.close("a", 60_000)
    assert (answer["pnl"], answer["r"]) == (pytest.approx(100), pytest.approx(10))
    coins = 100 * 5 * (1 / 50_000 - 1 / 60_000)
    assert book.rows("SELECT pnl_coin FROM trades") == [(pytest.approx(coins),)]


def test_a_repeated_event_is_answered_as_the_first(book: Ledger) -> None:
    first = book.open("a", event_id="1")
    assert first["existing"] is False
    assert book.open("a", event_id="1") == first
    part = book.close("a", 110, qty=4, event_id="2")
    assert book.close("a", 110, qty=4, event_id="2") == part
    done = book.close("a", 110, event_id="3")
    assert book.close("a", 999, event_id="3") == done
    assert book.open("a", event_id="1") == first, "even after the trade has closed"
    assert (book.rows("SELECT count(*) FROM history"), summary(book)["pnl_realized"]) == ([(3,)], 100)


def test_an_event_that_came_too_early_may_be_sent_again(book: Ledger) -> None:
    assert book.close("a", 101, event_id="1") == 404
    book.open("a")
    assert book.close("a", 101, event_id="1")["pnl"] == 10


def test_a_repeated_open_without_a_trade_id_makes_one_trade(book: Ledger) -> None:
    names = {book.open("", trade_id=None, event_id="1")["trade_id"] for _ in range(3)}
    assert len(names) == 1
    assert book.rows("SELECT count(*) FROM trades") == [(1,)]


def test_a_reversal_closes_the_other_side_first(tmp_path: Path) -> None:
    with opened(tmp_path / "perf.db", "close") as book:
        book.open("long")
        book.open("elsewhere", symbol="OTHER")
        book.open("same way")
        answer = book.open("short", side="SHORT", entry=103, stop=108)
        assert [(one["trade_id"], one["pnl"]) for one in answer["reversed"]] == [("long", 30), ("same way", 30)]
        assert book.rows("SELECT trade_id FROM trades WHERE status = 'OPEN'") == [("elsewhere",), ("short",)]
        assert "reversed" not in book.open("short", side="SHORT", entry=103, stop=108)
        assert book.wrong == []


def test_a_reversal_is_kept_apart_by_default(book: Ledger) -> None:
    book.open("long")
    assert "reversed" not in book.open("short", side="SHORT", entry=103, stop=108)
    assert summary(book)["open_trades"] == 2


def test_the_reversal_setting_is_checked(environ: dict[str, str]) -> None:
    assert perf_settings(environ | {"PERF_REVERSAL": "Close"}).reversal == "close"
    with pytest.raises(SettingsError, match="PERF_REVERSAL"):
        perf_settings(environ | {"PERF_REVERSAL": "maybe"})


def test_a_close_without_an_id_finds_the_only_open_trade(book: Ledger) -> None:
    whose = {"type": "CLOSE", "engine": "E", "symbol": "S", "exit": 101}
    assert book.tell(**whose) == 404
    book.open("a")
    book.open("b", symbol="OTHER")
    assert book.tell(**whose)["trade_id"] == "a"
    book.open("c")
    book.open("d")
    assert book.tell(**whose) == 409


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"event_id": 5}, "event_id"), ({"event_id": "x" * 129}, "event_id"), ({"event_id": ""}, "event_id"),
    ({"contract": "quanto"}, "contract"), ({"contract": 1}, "contract"), ({"contract_value": -1}, "contract_value"),
    ({"contract_value": 1e16}, "contract_value"), ({"entry": 1e-300}, "entry"), ({"ts": "2199-01-01T00:00:00Z"}, "ts"),
    ({"ts": 9e9}, "ts"), ({"ts": "20260215"}, "ts"), ({"type": "CLOSE", "trade_id": None, "engine": None}, "trade_id"),
    ({"type": "CLOSE", "trade_id": None, "exit": 1, "symbol": None}, "symbol"),
    ({"type": "CLOSE", "exit": 1, "qty": -1}, "qty"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_what_is_wrong_is_named(perf: TestClient, changes: dict[str, Any], field: str) -> None:
    answer = perf.post("/perf/event", content=json.dumps(OPEN | {"exit": 1} | changes))
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_the_largest_values_stay_finite(perf: TestClient) -> None:
    for name, contract in (("a", "linear"), ("b", "inverse")):
        body = OPEN | {"trade_id": name, "contract": contract, "contract_value": 1e15, "qty": 1e15, "entry": 1e-15}
        assert perf.post("/perf/event", content=json.dumps(body | {"stop": 0})).status_code == 200
        marked = {"type": "UPDATE", "trade_id": name, "mark": 1e15}
        assert perf.post("/perf/event", content=json.dumps(marked)).status_code == 200
    assert perf.get("/perf/open").status_code == 200
    for name in "ab":
        close = {"type": "CLOSE", "trade_id": name, "exit": 1e15}
        assert perf.post("/perf/event", content=json.dumps(close)).status_code == 200
    assert {perf.get(f"/perf/{page}").status_code for page in ("summary", "kpi?by=hour", "equity", "export")} == {200}


_names = st.sampled_from("abcd")
_prices = st.floats(1, 1000).map(lambda price: round(price, 2))
_ids = st.none() | st.sampled_from("12345")
_opens = st.fixed_dictionaries(
    {
        "type": st.just("OPEN"), "trade_id": _names, "engine": st.sampled_from("EF"), "symbol": st.sampled_from("ST"),
        "side": st.sampled_from(["LONG", "SHORT"]), "entry": _prices, "qty": st.sampled_from([0.1, 0.3, 1, 7]),
        "contract": st.sampled_from(["linear", "inverse"]), "risk_usd": st.sampled_from([0, 5, 12.5]), "event_id": _ids,
        "ts": st.integers(1_770_000_000, 1_771_300_000),
    }
)  # fmt: skip
_closes = st.fixed_dictionaries(
    {"type": st.just("CLOSE"), "trade_id": _names, "exit": _prices, "event_id": _ids},
    optional={"qty": st.sampled_from([0.1, 0.3, 2]), "ts": st.integers(1_770_000_000, 1_771_300_000)},
)
_marks = st.fixed_dictionaries({"type": st.just("UPDATE"), "trade_id": _names, "mark": _prices, "event_id": _ids})


AT_RISK = """SELECT engine, sum(coalesce(risk_usd, 0) * (1 - qty_closed / qty))
    FROM trades WHERE status = 'OPEN' GROUP BY engine"""


@settings(max_examples=60, deadline=None)
@given(events=st.lists(_opens | _closes | _marks, max_size=25), reversal=st.sampled_from(["keep", "close"]))
def test_the_sums_always_agree(events: list[dict[str, Any]], reversal: str) -> None:
    with TemporaryDirectory() as folder, opened(Path(folder) / "perf.db", reversal) as book:
        for one in events:
            book.tell(**one)
        assert book.wrong == []
        told = summary(book)
        realised = math.fsum(row[0] for row in book.rows("SELECT pnl FROM closings"))
        assert told["equity_last"] - EQUITY0 == pytest.approx(realised, abs=1e-6)
        of_trades = math.fsum(row[0] for row in book.rows("SELECT coalesce(pnl, 0) FROM trades"))
        assert told["pnl_realized"] == pytest.approx(of_trades, abs=1e-6)
        at_risk = dict(book.rows(AT_RISK))
        assert told["open_risk_by_engine"] == pytest.approx({name: risk for name, risk in at_risk.items() if risk})
        parts = book.rows(
            "SELECT t.qty_closed, sum(c.qty) FROM trades t JOIN closings c ON c.trade = t.id GROUP BY t.id"
        )
        assert all(whole == pytest.approx(added) for whole, added in parts)
        assert all(row[0] >= 0 and row[1] >= 0 for row in book.rows("SELECT mae, mfe FROM trades"))


def test_the_figures_survive_a_restart_and_are_made_anew_when_they_must(tmp_path: Path) -> None:
    path = tmp_path / "perf.db"
    with opened(path) as book:
        book.open("a")
        book.close("a", 110, qty=3)
        before = summary(book)
    with opened(path) as book:
        assert summary(book) == before

        def spoil(connection: Connection) -> None:
            connection.exec_driver_sql("UPDATE aggregates SET body = replace(body, '\"total\":1', '\"total\":7')")
            connection.exec_driver_sql("UPDATE basis SET version = 0")

        book.store.submit(spoil).result()
        assert len(book.wrong) == 6
    with opened(path) as book:
        assert (summary(book), book.wrong) == (before, [])


def test_what_was_at_risk_and_is_no_longer_leaves_nothing(book: Ledger) -> None:
    for name, risk in (("a", 0.1), ("b", 0.2), ("c", 0.7)):
        book.open(name, risk_usd=risk, qty=3)
        book.close(name, 101, qty=1)
    assert summary(book)["open_risk_by_engine"] == {"E": pytest.approx(2 / 3, abs=1e-6)}
    for name in "bca":
        book.close(name, 99)
    found = summary(book)
    assert (found["open_risk_by_engine"], found["engines"]["E"]["open_risk"]) == ({}, 0)


def test_the_summary_looks_at_no_trade(book: Ledger) -> None:
    """However many are open: scripts that send no exits never close any."""
    book.open("a")
    asked: list[str] = []

    def ask(connection: Connection) -> None:
        sqlalchemy.event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
        report.summary(connection, EQUITY0)

    book.read(ask)
    assert {table for sql in asked for table in re.findall(r"FROM (\w+)", sql)} == {"aggregates", "history"}


def test_a_changed_account_size_changes_the_curve_of_the_past(book: Ledger) -> None:
    book.open("a")
    book.close("a", 90)
    assert book.store.submit(lambda connection: rebuild.refresh(connection, EQUITY0)).result() is False
    assert book.store.submit(lambda connection: rebuild.refresh(connection, 400.0)).result() is True
    told = book.read(report.summary, 400.0)
    assert (told["equity_last"], told["max_dd"], told["max_dd_pct"]) == (300, 100, 25)


def test_a_ledger_killed_under_load_adds_up(service: Callable[..., Any], environ: dict[str, str]) -> None:
    running = service("runtime.perf").start()
    answers = []
    for n in range(12):
        body = OPEN | {"trade_id": f"t{n}", "event_id": f"open {n}"}
        running.post(body, "/perf/event")
        running.post({"type": "UPDATE", "trade_id": f"t{n}", "mark": 97}, "/perf/event")
        close = {"type": "CLOSE", "trade_id": f"t{n}", "exit": 100 + n, "qty": 5, "event_id": f"close {n}"}
        answers.append((close, running.post(close, "/perf/event").json()))
    running.kill()
    running.start()
    assert [running.post(close, "/perf/event").json() for close, _ in answers] == [answer for _, answer in answers]
    assert running.get("/perf/summary")["pnl_realized"] == sum(5 * n for n in range(12))
    running.kill()
    with opened(Path(environ["TRADING_STATE_DIR"]) / "perf.db") as book:
        assert book.wrong == []
