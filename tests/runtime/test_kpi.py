"""Each KPI beside a figure worked out by hand, and the pages that show them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from runtime.http import Edge
from runtime.perf import bucket, export, groups, report
from runtime.perf.app import Perf
from runtime.perf.bucket import Bucket, Finished
from runtime.perf.curve import Curve
from tests.runtime.ledger_kit import EQUITY0, OPEN, Ledger, opened

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


def fill(book: Ledger, count: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(count):
        ts = (moment + timedelta(hours=n)).isoformat()
        book.open(f"t{n}", ts=ts, engine="E" if n % 2 else "F")
        book.close(f"t{n}", 100 + ((n * 37) % 23 - 11) + (400 if n == 77 else -600 if n == 141 else 0) / 10, ts=ts)


def test_a_chart_keeps_the_extremes(book: Ledger) -> None:
    fill(book, 200)
    whole = book.read(report.equity, EQUITY0)
    values = [point["equity"] for point in whole["series"]]
    for points in (2, 3, 10, 51, 199):
        some = book.read(report.equity, EQUITY0, points)
        kept = [point["equity"] for point in some["series"]]
        assert len(kept) <= points
        assert (kept[0], kept[-1], some["dd"]) == (values[0], values[-1], whole["dd"])
        assert [one for one in whole["series"] if one in some["series"]] == some["series"], "in order"
        if points >= 4:
            assert (min(kept), max(kept)) == (min(values), max(values))
    assert book.read(report.equity, EQUITY0, 200) == whole


def tell(client: TestClient, **body: Any) -> None:
    assert client.post("/perf/event", content=json.dumps(body)).status_code == 200


def test_trades_come_page_by_page(perf: TestClient) -> None:
    for n in range(7):
        tell(perf, **OPEN | {"trade_id": f"t{n}", "side": "LONG", "engine": "EF"[n % 2]})
    seen, before = [], ""
    while True:
        page = perf.get(f"/perf/trades?limit=3{before}").json()
        seen.append([one["trade_id"] for one in page["trades"]])
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == [["t6", "t5", "t4"], ["t3", "t2", "t1"], ["t0"]]
    last = perf.get("/perf/trades?limit=4&engine=E").json()
    assert ([one["trade_id"] for one in last["trades"]], last["next"]) == (["t6", "t4", "t2", "t0"], None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("since=2026-02-12T00:00:00Z", "b"), ("until=2026-02-12T00:00:00Z", "a"),
        ("side=short", "b"), ("side=long", "a"),
        ("since=2026-02-10T09:00:00%2B00:00&until=2026-02-10T09:00:01Z", "a"), ("until=2026-02-10T10:00:00+01:00", ""),
        ("since=1770714000", "ab"), ("since=1770714000001", "b"),
    ],
)  # fmt: skip
def test_trades_are_found_by_time_and_side(perf: TestClient, query: str, found: str) -> None:
    tell(perf, **OPEN | {"trade_id": "a", "ts": 1770714000})  # 2026-02-10T09:00:00Z
    tell(perf, **OPEN | {"trade_id": "b", "ts": "2026-02-13T10:00:00Z", "side": "SHORT", "stop": 105})
    assert sorted(one["trade_id"] for one in perf.get(f"/perf/trades?{query}").json()["trades"]) == list(found)


def test_an_open_trade_shows_what_it_is_worth(perf: TestClient) -> None:
    tell(perf, **OPEN | {"trade_id": "a"})
    tell(perf, type="CLOSE", trade_id="a", exit=105, qty=5)
    tell(perf, type="UPDATE", trade_id="a", mark=110)
    (one,) = perf.get("/perf/open").json()["trades"]
    assert (one["open_pnl"], one["open_r"], one["pnl"], one["mfe_r"]) == (50, 1, 25, 2)
    tell(perf, type="CLOSE", trade_id="a", exit=110)
    (one,) = perf.get("/perf/trades").json()["trades"]
    assert (one["open_pnl"], one["open_r"], one["r"]) == (None, None, 1.5)


BAD = [
    "kpi?by=phase",
    "kpi?days=0",
    "kpi?by=",
    "equity?points=1",
    "equity?points=x",
    "equity?points=5001",
    "trades?before=0",
]
BAD += ["trades?before=9223372036854775808", "trades?since=soon", "trades?until=2026-02-12", "trades?limit=1001"]
BAD += ["trades?engine=" + "x" * 129, "export?format=xls", "export?since=1e999", "trades?since=%00"]


@pytest.mark.parametrize("query", BAD)
def test_a_wrong_question_is_a_400_with_its_field(perf: TestClient, query: str) -> None:
    answer = perf.get(f"/perf/{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, query.split("?")[1].split("=")[0])


_PAGES = ["summary", "kpi", "equity", "open", "trades", "export"]
_NAMES = ["by", "days", "points", "limit", "before", "engine", "status", "symbol", "side", "since", "until", "format"]
_ASKED = st.text() | st.integers().map(str) | st.floats().map(str) | st.sampled_from(["engine", "parquet", "OPEN"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(page=st.sampled_from(_PAGES), query=st.dictionaries(st.sampled_from(_NAMES), _ASKED, max_size=4))
def test_no_question_breaks_it(perf: TestClient, page: str, query: dict[str, str]) -> None:
    assert perf.get(f"/perf/{page}", params=query).status_code in {200, 400, 501}


def rows(client: TestClient, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/perf/export?format=csv{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == 'attachment; filename="ledger.csv"'
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_the_ledger_as_csv(perf: TestClient) -> None:
    tell(perf, **OPEN | {"trade_id": "a", "meta": {"note": 'com"ma, é'}})
    tell(perf, **OPEN | {"trade_id": "b", "side": "SHORT", "stop": 105})
    tell(perf, type="CLOSE", trade_id="b", exit=101)
    first, second = rows(perf)
    assert (first["trade_id"], first["pnl"], json.loads(first["meta"])) == ("a", "", {"note": 'com"ma, é'})
    assert (second["trade_id"], second["pnl"], second["r"], second["stop"]) == ("b", "-10.0", "-0.2", "105.0")
    assert [one["trade_id"] for one in rows(perf, "&status=open")] == ["a"]


@pytest.mark.parametrize("start", list("=+-@＝＋－＠"))
def test_no_cell_of_the_csv_is_a_formula(perf: TestClient, start: str) -> None:
    tell(perf, **OPEN | {"trade_id": f"{start}cmd|' /C calc'!A0", "engine": f"{start}1+1"})
    (one,) = rows(perf)
    assert (one["trade_id"], one["engine"]) == (f"'{start}cmd|' /C calc'!A0", f"'{start}1+1")


def test_a_large_ledger_is_exported_in_pages() -> None:
    read = [
        [(n, {name: n for name in export.COLUMNS}) for n in (1, 2)],
        [(3, {name: 3 for name in export.COLUMNS})],
        [],
    ]
    asked: list[int] = []

    def pages(after: int) -> Any:
        asked.append(after)
        return read[len(asked) - 1]

    assert [len(chunk.splitlines()) for chunk in export.csv_chunks(pages)] == [1, 2, 1]
    assert asked == [0, 2, 3]


def test_parquet_without_pyarrow_says_what_to_ask_for(perf: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "can_parquet", lambda: False)
    answer = perf.get("/perf/export?format=parquet")
    assert (answer.status_code, "format=csv" in answer.json()["error"]) == (501, True)


def test_the_ledger_as_parquet(perf: TestClient) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    tell(perf, **OPEN | {"trade_id": "=a"})
    tell(perf, type="CLOSE", trade_id="=a", exit=101)
    table = parquet.read_table(io.BytesIO(perf.get("/perf/export?format=parquet").content))
    (one,) = table.to_pylist()
    assert (tuple(table.column_names), one["trade_id"], one["pnl"], one["stop"]) == (export.COLUMNS, "=a", 10.0, 95.0)
    assert perf.get("/perf/export?format=parquet&engine=NONE").status_code == 200


@pytest.mark.parametrize("path", ["kpi", "export"])
def test_strangers_see_nothing(perf_app: Perf, path: str) -> None:
    with TestClient(Edge(perf_app.app), raise_server_exceptions=False, client=("192.0.2.7", 5)) as client:
        assert client.get(f"/perf/{path}").status_code == 401
