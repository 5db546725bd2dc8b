"""Each KPI beside a figure worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from runtime.perf import bucket, groups, report
from runtime.perf.bucket import Bucket, Finished
from runtime.perf.curve import Curve
from tests.runtime.ledger_kit import EQUITY0, Ledger, opened

DAY = "2026-02-{:02}T{:02}:00:00.000000+00:00"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "perf.db") as made:
        yield made


def close_all(book: Ledger) -> None:
    """+2R, -1R, +1R, 0R, -0.5R with 50 at risk: 100, -50, 50, 0, -25. One a day from Monday the 9th, 6 h later each."""
    for n, exit_price in enumerate((110, 95, 105, 100, 97.5)):
        name, hour = f"t{n}", (n * 6) % 24
        book.open(name, ts=DAY.format(9 + n, hour), engine="E" if n < 3 else "F")
        book.mark(name, 97)
        book.mark(name, 102)
        book.close(name, exit_price, ts=DAY.format(9 + n, 23))


def kpi(book: Ledger, by: str | None = None) -> Any:
    return book.read(report.kpi, EQUITY0, by, 366)


def test_the_kpis_of_five_trades(book: Ledger) -> None:
    close_all(book)
    told = kpi(book)["all"]
    expected: dict[str, Any] = {
        "total": 5, "closed": 5, "wins": 2, "losses": 2, "pnl": 75, "winrate_pct": 40, "expectancy_r": 0.3,
        "expectancy": 15, "avg_win": 75, "avg_loss": -37.5, "payoff": 2, "profit_factor": 2,
    }  # fmt: skip
    assert {name: told[name] for name in expected} == pytest.approx(expected)
    assert told["rolling"] == pytest.approx({"trades": 5, "expectancy_r": 0.3})
    assert told["mae_winners"] == pytest.approx({"trades": 2, "avg": 30, "avg_r": 0.6, "max_r": 0.6})
    assert told["mfe_losers"] == pytest.approx({"trades": 2, "avg": 20, "avg_r": 0.4, "max_r": 0.4})
    counted = {one["from"]: one["trades"] for one in told["r_histogram"] if one["trades"]}
    assert counted == {2.0: 1, -1.0: 1, 1.0: 1, 0.0: 1, -0.5: 1}


def test_the_drawdown_has_a_depth_a_length_and_a_recovery(book: Ledger) -> None:
    close_all(book)  # equity 10,100 10,050 10,100 10,100 10,075, a day apart
    fall = kpi(book)["all"]["drawdown"]
    day = 86_400
    assert (fall["amount"], fall["percent"]) == (50, pytest.approx(50 / 10_100 * 100))
    assert (fall["from_ts"], fall["trough_ts"]) == (DAY.format(9, 23), DAY.format(10, 23))
    assert (fall["recovered_ts"], fall["fall_s"], fall["recovery_s"]) == (DAY.format(11, 23), day, day)
    assert (fall["duration_s"], fall["longest_s"], fall["current"]) == (2 * day, 2 * day, 25)


def test_a_fall_that_has_not_recovered_says_so() -> None:
    curve = Curve(1000)
    for hour, pnl in ((1, 100), (2, -30), (3, 40), (4, -200), (9, 50)):
        curve.step(DAY.format(9, hour), pnl)
    fall = curve.drawdown()
    assert (fall["amount"], fall["from_ts"], fall["trough_ts"]) == (200, DAY.format(9, 3), DAY.format(9, 4))
    assert (fall["recovered_ts"], fall["recovery_s"], fall["duration_s"]) == (None, None, None)
    assert (fall["longest_s"], fall["current"], fall["current_pct"]) == (6 * 3600, 150, pytest.approx(150 / 1110 * 100))


@pytest.mark.parametrize(
    ("by", "pnl"),
    [
        ("engine", {"E": 100, "F": -25}), ("symbol", {"S": 75}), ("session", {"Asia": 25, "London": 50, "New York": 0}),
        ("hour", {"00": 75, "06": -50, "12": 50, "18": 0}),
        ("weekday", {"Monday": 100, "Tuesday": -50, "Wednesday": 50, "Thursday": 0, "Friday": -25}),
    ],
)  # fmt: skip
def test_the_groups(book: Ledger, by: str, pnl: dict[str, float]) -> None:
    close_all(book)
    told = kpi(book, by)["groups"]
    assert {name: one["pnl"] for name, one in told.items()} == pnl
    assert list(told) == list(pnl), "in the order people read them"


def test_the_day_is_shared_out_among_the_sessions() -> None:
    hours = [groups.session(hour) for hour in range(24)]
    assert hours == ["Asia"] * 7 + ["London"] * 6 + ["New York"] * 8 + ["Asia"] * 3


def test_the_calendar_counts_parts_on_their_day(book: Ledger) -> None:
    book.open("a")
    book.close("a", 110, qty=5, ts=DAY.format(16, 12))
    book.close("a", 102, ts=DAY.format(17, 1))
    days = kpi(book)["calendar"]
    assert days == [
        {"day": "2026-02-16", "pnl": 50, "closed": 0, "wins": 0},
        {"day": "2026-02-17", "pnl": 10, "closed": 1, "wins": 1},
    ]


def test_the_rolling_expectancy_forgets_what_is_older_than_thirty_trades() -> None:
    one = Bucket(Curve(1000))
    for n in range(40):
        one.finish(Finished(1, float(n)))
    assert bucket.rolling(one) == {"trades": 30, "expectancy_r": sum(range(10, 40)) / 30}
    assert bucket.load(one.dump()) == one


def test_nothing_traded_claims_nothing(perf: TestClient) -> None:
    told = perf.get("/perf/kpi?by=engine").json()
    assert (told["groups"], told["calendar"]) == ({}, [])
    names = ("winrate_pct", "expectancy_r", "expectancy", "avg_win", "avg_loss", "payoff", "profit_factor")
    assert {told["all"][name] for name in names} == {None}


def test_without_a_mark_there_is_no_excursion(book: Ledger) -> None:
    book.open("a")
    book.close("a", 110)
    assert kpi(book)["all"]["mae_winners"] == {"trades": 0, "avg": None, "avg_r": None, "max_r": None}


@given(st.floats(-1e9, 1e9))
def test_every_r_has_its_bin(r: float) -> None:
    one = Bucket(Curve(1))
    one.finish(Finished(r, r))
    (found,) = [place for place in bucket.histogram(one) if place["trades"]]
    assert (-math.inf if found["from"] is None else found["from"]) <= r < (found["to"] or 1e99 if r >= 0 else 0.1)
