"""Alerts that wait together are decided in one transaction, exactly as if each had been committed by itself."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from runtime import settings
from runtime.payload import Invalid
from runtime.store import Store, database, tables
from runtime.time_limit import TimeLimit
from runtime.webhook import book, routing
from runtime.webhook.alert import read
from runtime.webhook.events import Origin
from runtime.webhook.pipeline import Arrival, Pipeline, Result
from runtime.webhook.refusals import Refusal

START = datetime(2026, 2, 16, 9, tzinfo=UTC)
ORIGIN = Origin("192.0.2.1", "default")
LEVELS: dict[str, dict[str, Any]] = {
    "GOLD_CFD_LONG": {"symbol": "XAUUSD", "price": 2000, "sl": 1995, "tp": 2010},
    "USDTM_LONG": {"symbol": "BTC", "price": 68000, "sl": 67000, "tp": 70000},
    "COINM_SHORT": {"symbol": "BTC", "price": 68000, "sl": 69000, "tp": 66000},
}
SWING: dict[str, Any] = {"symbol": "XAUUSD", "price": 2000, "sl": 1995, "tp": 2010}
BASE = {"tf": "15", "reason": "batch"}


@pytest.fixture
def pipeline(environ: dict[str, str]) -> Pipeline:
    return Pipeline(settings.webhook(environ))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with_it = Store(tmp_path / "batch.db", tables.SCHEMA)
    yield with_it
    with_it.close()


def arrival(pipeline: Pipeline, engine: str, second: float = 0, **changes: Any) -> Arrival:
    signal = "SELL" if engine == "COINM_SHORT" else "BUY"
    body = BASE | {"engine": engine, "signal": signal} | LEVELS.get(engine, SWING) | changes
    return Arrival(pipeline.size(read(body)), START + timedelta(seconds=second), ORIGIN)


def together(store: Store, pipeline: Pipeline, arrivals: Sequence[Arrival | Refusal]) -> list[Result | None]:
    return store.submit(lambda connection: pipeline.commit(connection, arrivals)).result(5)


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in tables.metadata.sorted_tables
            if table.name != "store_probe"
        }


def decided(place: Path, pipeline: Pipeline, rest: list[Arrival], sizes: Sequence[int]) -> tuple[Any, ...]:
    """The answers, and what a new store then holds, when so many at a time are decided together, at last all others."""
    store, answers = Store(place, tables.SCHEMA), list[Any]()
    for size in [*sizes, len(rest)]:
        answers += together(store, pipeline, rest[:size]) if rest[:size] else []
        del rest[:size]
    found = contents(store)
    store.close()
    return answers, found


def outcomes(results: Sequence[Result | None]) -> list[str | None]:
    return [one and one.decision.outcome for one in results]


def test_each_sees_what_the_ones_before_it_did(store: Store, pipeline: Pipeline) -> None:
    batch = [
        arrival(pipeline, "COINM_SHORT", trade_id="a"),
        arrival(pipeline, "USDTM_LONG"),
        arrival(pipeline, "COINM_SHORT", 1, event_type="CLOSE", exit=67000, trade_id="a"),
        arrival(pipeline, "USDTM_LONG", 2, trade_id="b"),
        arrival(pipeline, "COINM_SHORT", 3, trade_id="c"),
        arrival(pipeline, "USDTM_LONG", 4, trade_id="b"),
    ]
    results = together(store, pipeline, batch)
    assert outcomes(results) == ["opened", "locked", "closed", "opened", "locked", "duplicate"]
    assert [one and one.event_id for one in results] == [1, 2, 3, 4, 5, 4]
    found = contents(store)
    assert [row[0] for row in found["events"]] == [1, 2, 3, 4, 5, 6]
    assert [json.loads(row[2])["type"] for row in found["perf_messages"]] == ["OPEN", "CLOSE", "OPEN"]
    assert found["router"][0][1] == "USDTM_LONG"
    closed = next(dict(zip(tables.trades.columns.keys(), row, strict=True)) for row in found["trades"])
    assert (closed["closed_by"], closed["closed_why"], closed["exit"], closed["locked"]) == (3, "close", 67000, False)
    assert closed["pnl"] == pytest.approx(60, rel=0.02)
    assert closed["r"] == pytest.approx(1)


def test_a_lock_is_given_back_with_its_last_trade_which_nobody_named(store: Store, pipeline: Pipeline) -> None:
    steps = [
        ({"trade_id": "a"}, "opened"),
        ({"trade_id": "b", "symbol": "ETH"}, "opened"),
        ({"trade_id": "c"}, "opened"),
        ({"trade_id": "a", "event_type": "CLOSE"}, "closed"),
        ({"event_type": "CLOSE"}, "closed"),  # c: all that is left on its symbol
        ({"trade_id": "c", "event_type": "CLOSE"}, "ignored"),
        ({"trade_id": "b", "symbol": "ETH", "event_type": "CLOSE"}, "closed"),
    ]
    for second, (changes, outcome) in enumerate(steps):
        assert outcomes(together(store, pipeline, [arrival(pipeline, "USDTM_LONG", second, **changes)])) == [outcome]
        other = [arrival(pipeline, "COINM_SHORT", second, id=f"other-{second}")]
        assert outcomes(together(store, pipeline, other)) == ["opened" if second == len(steps) - 1 else "locked"]


def test_a_repetition_within_a_batch_is_one_event(store: Store, pipeline: Pipeline) -> None:
    batch = [arrival(pipeline, "GOLD_CFD_LONG", 0.1 * number, id="same") for number in range(5)]
    results = together(store, pipeline, batch)
    assert outcomes(results) == ["opened"] + ["duplicate"] * 4
    assert {one and one.event_id for one in results} == {1}
    assert len(contents(store)["trades"]) == 1


def test_a_refusal_is_recorded_in_its_place(store: Store, pipeline: Pipeline) -> None:
    wrong = Refusal({"engine": "X", "deep": [1]}, Invalid("price", "is missing"), START, ORIGIN)
    batch = [arrival(pipeline, "GOLD_CFD_LONG", id="1"), wrong, arrival(pipeline, "GOLD_CFD_LONG", id="2")]
    assert outcomes(together(store, pipeline, batch)) == ["opened", None, "opened"]
    assert [row[12] for row in contents(store)["events"]] == ["opened", "invalid", "opened"]


_ENGINES = st.sampled_from(sorted(LEVELS))
_STEPS = st.tuples(
    _ENGINES,
    st.sampled_from(["SIGNAL", "SIGNAL", "OPEN", "CLOSE", "UPDATE"]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, None, "x", "y"]),
    st.booleans(),
)


@given(st.lists(_STEPS, min_size=1, max_size=12), st.lists(st.integers(1, 4), max_size=6))
def test_how_alerts_are_grouped_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]], sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("batch")
    env = {"TV_WEBHOOK_KEY": "key-of-the-tests", "OPS_ADMIN_KEY": "ops-key-of-the-tests"}
    env |= {"TRADING_STATE_DIR": str(folder), "ENGINES_PATH": str(folder / "none"), "LOCK_EXPIRY_SECONDS": "20"}
    pipeline, found = Pipeline(settings.webhook(env)), []
    for name, groups in (("one", [1] * len(steps)), ("many", sizes)):
        found.append(decided(folder / f"{name}.db", pipeline, list(_arrivals(pipeline, steps)), groups))
    assert found[0] == found[1]


def _arrivals(pipeline: Pipeline, steps: list[tuple[Any, ...]]) -> Iterator[Arrival]:
    for second, (engine, kind, trade_id, delivery, opposite) in enumerate(steps):
        changes = {"event_type": kind, "trade_id": trade_id, "id": delivery}
        if opposite and kind in ("SIGNAL", "OPEN"):
            changes |= {"signal": "BUY" if engine == "COINM_SHORT" else "SELL", "tp": 0, "sl": 0}
        yield arrival(pipeline, engine, second * 7, **changes)


def test_an_item_that_fails_undoes_only_itself(store: Store) -> None:
    def many(connection: Connection, items: Sequence[int]) -> list[int]:
        for item in items:
            row = {"scope": str(item), "body": "{}"}
            connection.execute(insert(tables.standings), row)
            if item == 3:
                raise ValueError("no three")
        return [item * 10 for item in items]

    async def run() -> list[Any]:
        items = (store.write_item(many, item) for item in (1, 2, 3, 4))
        return await asyncio.gather(*items, return_exceptions=True)

    results = asyncio.run(run())
    assert (results[0], results[1], results[3]) == (10, 20, 40)
    assert isinstance(results[2], ValueError)
    assert [row[0] for row in contents(store)["standings"]] == ["1", "2", "4"]


def test_items_that_wait_too_long_are_told_and_never_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_limit", TimeLimit(0.1, database._too_late))
    gate, began = threading.Event(), threading.Event()
    written: list[int] = []

    def many(_: Connection, items: Sequence[int]) -> list[int]:
        written.extend(items)
        return list(items)

    async def run() -> list[Any]:
        store.submit(lambda _: began.set() or gate.wait(5))
        assert await asyncio.to_thread(began.wait, 5)
        late = await asyncio.gather(*(store.write_item(many, item) for item in range(3)), return_exceptions=True)
        gate.set()
        monkeypatch.setattr(store, "_limit", TimeLimit(5, database._too_late))
        return [*late, await store.write_item(many, 9)]

    *late, last = asyncio.run(run())
    assert [str(error) for error in late] == ["no commit within 2 s"] * 3
    assert (last, written) == (9, [9])


def test_no_question_reads_all_open_trades(store: Store) -> None:
    """However many alerts open trades that nobody ever closes."""
    with store.read() as connection:
        for query in (routing._OPEN_OF, routing._OPEN_ON):
            given = query.params(engines=["X"], symbols=["Y"])
            sql = given.compile(connection, compile_kwargs={"literal_binds": True})
            steps = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
            looks = [step for step in steps if "trades" in step]
            assert looks
            indexed = r"SEARCH trades USING (COVERING )?INDEX trades_open_by"
            assert all(re.match(indexed, step) for step in looks), steps
            assert any("engine=? AND symbol=?" in step for step in looks), steps
        for query in (routing._LOCKED, routing._FREE):
            sql = query.compile(connection, compile_kwargs={"literal_binds": True})
            step = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").one()
            assert "INDEX trades_locked" in str(step[3])


_SYMBOLS = st.sampled_from([None, None, "ETH"])
MOVES = st.tuples(
    st.sampled_from([*sorted(LEVELS), "SWING"]),
    st.sampled_from(["SIGNAL", "SIGNAL", "OPEN", "CLOSE", "CLOSE", "UPDATE", "BAR"]),
    st.sampled_from([None, None, "a", "b", "c"]),
    st.booleans(),
    _SYMBOLS,
    st.booleans(),
)


@given(st.lists(MOVES, min_size=1, max_size=14), st.lists(st.integers(1, 4), max_size=6))
def test_what_a_batch_does_not_read_could_not_have_mattered(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]], sizes: list[int]
) -> None:
    """Beside a webhook that knows every open trade there is, whatever is asked."""
    folder = tmp_path_factory.mktemp("batch")
    engines = {"SWING": {"equity": 5000, "risk_pct": 1, "qty_step": 0.1, "direction": "both", "aggressive": True}}
    (folder / "engines.json").write_text(json.dumps({"engines": engines}))
    env = {"TV_WEBHOOK_KEY": "key-of-the-tests", "OPS_ADMIN_KEY": "ops-key-of-the-tests"}
    env |= {"TRADING_STATE_DIR": str(folder), "ENGINES_PATH": str(folder / "engines.json"), "LOCK_EXPIRY_SECONDS": "50"}
    pipeline, found = Pipeline(settings.webhook(env)), []
    for name, known in (("few", book._trades), ("all", _all_trades)):
        with mock.patch.object(book, "_trades", known):
            found.append(decided(folder / f"{name}.db", pipeline, list(moves(pipeline, steps)), sizes))
    assert found[0] == found[1]


def _all_trades(connection: Connection, *_: object) -> Iterator[routing.Kept]:
    return map(routing.kept, connection.execute(select(*(tables.trades.c[name] for name in routing.COLUMNS))))


def moves(pipeline: Pipeline, steps: list[tuple[Any, ...]]) -> Iterator[Arrival]:
    for second, (engine, kind, trade_id, opposite, symbol, far) in enumerate(steps):
        levels = LEVELS.get(engine, SWING)
        changes: dict[str, Any] = {"event_type": kind, "trade_id": trade_id, "symbol": symbol or levels["symbol"]}
        if kind == "BAR":
            high, low = (2 if far else 1.0001) * levels["price"], 0.9999 * levels["price"]
            body = changes | {"high": high, "low": low, "close": levels["price"], "tf": "1"}
            bar = read(body if opposite else body | {"engine": engine})
            yield Arrival(pipeline.size(bar), START + timedelta(seconds=second * 7), ORIGIN)
            continue
        if opposite and kind in ("SIGNAL", "OPEN"):
            changes |= {"signal": "BUY" if engine == "COINM_SHORT" else "SELL"}
            changes |= {"sl": 2005, "tp": 1990} if engine == "SWING" else {"tp": 0, "sl": 0}
        yield arrival(pipeline, engine, second * 7, **changes)
