"""The ledger's pages: charts, lists, files, and questions that cannot be answered."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from starlette.testclient import TestClient

from runtime.http import Edge
from runtime.perf import export, pages, report
from runtime.perf.app import Perf
from runtime.store import StoreError
from tests.runtime.ledger_kit import EQUITY0, OPEN, Ledger, opened


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "perf.db") as made:
        yield made


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


def test_a_parquet_file_that_cannot_be_made_is_said_and_not_half_sent(
    perf: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(perf, **OPEN)
    for script, reason in (
        ("import sys; sys.stdin.read(); sys.exit('noise\\nOSError: no space left')", "OSError: no space left"),
        ("import os; os.write(1, b'PAR1'); os._exit(3)", "the writer ended with 3"),
    ):
        monkeypatch.setattr(export, "_ARROW", (sys.executable, "-c", script))
        answer = perf.get("/perf/export?format=parquet")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["error"] == f"the file could not be made: {reason}"
    monkeypatch.undo()
    monkeypatch.setattr(export.tempfile, "tempdir", "/proc/nowhere")
    answer = perf.get("/perf/export?format=parquet")
    assert (answer.status_code, "No such file" in answer.json()["error"]) == (503, True)
    monkeypatch.undo()
    assert perf.get("/perf/export?format=parquet").status_code == 200


def test_the_ledger_as_parquet(perf: TestClient) -> None:
    tell(perf, **OPEN | {"trade_id": "=a"})
    tell(perf, type="CLOSE", trade_id="=a", exit=101)
    table = parquet.read_table(io.BytesIO(perf.get("/perf/export?format=parquet").content))
    (one,) = table.to_pylist()
    assert (tuple(table.column_names), one["trade_id"], one["pnl"], one["stop"]) == (export.COLUMNS, "=a", 10.0, 95.0)
    none = perf.get("/perf/export?format=parquet&engine=NONE")
    assert parquet.read_table(io.BytesIO(none.content)).shape == (0, len(export.COLUMNS))


def test_a_large_ledger_is_a_row_group_for_each_page(perf: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    for name in "abcde":
        tell(perf, **OPEN | {"trade_id": name, "meta": {"why": "é \ud83d\ude00"}})
    answer = perf.get("/perf/export?format=parquet")
    assert int(answer.headers["content-length"]) == len(answer.content)
    file = parquet.ParquetFile(io.BytesIO(answer.content))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [2, 2, 1]
    assert [row["trade_id"] for row in file.read().to_pylist()] == list("abcde")
    assert {json.loads(row["meta"])["why"] for row in file.read().to_pylist()} == {"é 😀"}
    assert file.read().column("closed_ts").null_count == 5


def test_a_page_that_cannot_be_read_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> Any:
        raise StoreError("locked")

    with pytest.raises(StoreError):
        export.parquet(broken)
    with export.parquet(lambda _: []) as file:
        assert file.read(4) == b"PAR1"


@pytest.mark.parametrize("path", ["kpi", "export"])
def test_strangers_see_nothing(perf_app: Perf, path: str) -> None:
    with TestClient(Edge(perf_app.app), raise_server_exceptions=False, client=("192.0.2.7", 5)) as client:
        assert client.get(f"/perf/{path}").status_code == 401
