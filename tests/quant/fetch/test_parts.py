"""The parts by themselves: pages that are hostile, columns, the pace, threads, failures."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from email.utils import format_datetime
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.paths import ROOT
from quant.config.market import Exchange
from quant.fetch import ccxt_class, client, columns, failure, limits, page
from quant.fetch.pace import Pace, Stopped
from quant.fetch.page import Series, Window
from quant.fetch.threads import FIRST, ordered
from quant.timeframe import Timeframe
from runtime import clock

STEP = 60_000
SERIES = Series("fake", "BTC/USDT", Timeframe.of("1m"))


def row(at: int) -> list[float]:
    return [at, 10, 12, 9, 11, 1 + at % 7]


@settings(max_examples=60)
@given(data=st.data(), bars=st.integers(1, 60), cap=st.integers(2, 70), newest=st.booleans())
def test_a_page_has_every_bar_whatever_an_answer_leaves_out(
    data: st.DataObject, bars: int, cap: int, newest: bool
) -> None:
    """Silent caps, gaps, rows twice, in any order, with rubbish, and bars around the window."""
    window = Window(50 * STEP, (50 + bars) * STEP)
    there = sorted(data.draw(st.sets(st.integers(50, 50 + bars - 1), min_size=1)))
    shuffle = data.draw(st.randoms(use_true_random=False))

    def ask(asked: Window) -> list[Any]:
        inside = [at * STEP for at in there if asked.begin <= at * STEP < asked.end]
        cut = inside[-cap:] if newest else inside[:cap]
        rows: list[Any] = [row(at) for at in [*cut, *cut[:2], asked.begin - STEP, asked.end]]
        rows += [[None] * 6, None, [asked.begin + 1, 1, 1, 1, 1, 1], [1, 2], [asked.end - STEP, 1, 0.5, 1, 1, -1]]
        shuffle.shuffle(rows)
        return rows

    found = page.fetch(ask, SERIES, window)
    assert found.rows.tolist() == [row(at * STEP) for at in there]


def test_a_hole_is_asked_for_by_itself_once() -> None:
    asked: list[Window] = []

    def ask(window: Window) -> list[list[float]]:
        asked.append(window)
        return [row(at * STEP) for at in range(10) if at != 4 and window.begin <= at * STEP < window.end]

    assert len(page.fetch(ask, SERIES, Window(0, 10 * STEP)).rows) == 9
    assert asked == [Window(0, 10 * STEP), Window(3 * STEP, 6 * STEP)]


def test_an_answer_without_the_known_bars_is_not_believed() -> None:
    """Cut short, then empty, then whole."""
    bars = [row(at * STEP) for at in range(10)]
    answers = iter([bars[5:], [], [], bars])
    found = page.fetch(lambda _: next(answers), SERIES, Window(0, 10 * STEP))
    assert found.rows.tolist() == bars


@pytest.mark.parametrize("name", sorted(client.FAST))
@pytest.mark.parametrize("kind", ["spot", "linear", "inverse"])
def test_columns_are_what_ccxt_reads(name: str, kind: str) -> None:
    market = {"spot": kind == "spot", "linear": kind == "linear", "inverse": kind == "inverse", "id": "X"}
    market |= {"type": "spot" if kind == "spot" else "swap", "symbol": "X/Y"}
    exchange = ccxt_class.load(name)()
    rows = [[str(1_700_000_000_000 + at), *(f"{at}.{cell}5" for cell in range(1, 9))] for at in range(50)]
    found = columns.read(rows, lambda one: exchange.parse_ohlcv(one, market))
    assert found is not None
    assert found.tolist() == [exchange.parse_ohlcv(one, market) for one in rows]


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=None) | st.floats(0, 1e12)
AROUND = [("", ""), ('{"retCode":0,"result":{"symbol":"X","list":', '},"time":1}'), ('{"code":"0","data":', "}")]


@given(st.integers(6, 9).flatmap(lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=3)))
@pytest.mark.parametrize(("before", "after"), AROUND)
def test_rows_of_texts_are_taken_out_of_an_answer_as_python_s_float_reads_them(
    before: str, after: str, numbers: list[list[Any]]
) -> None:
    """To the last bit, also those with more digits than a float holds, and with exponents."""
    texts = [[str(one) for one in row] for row in numbers]
    found = columns.taken(before + json.dumps(texts, separators=(",", ":")) + after)
    assert found is not None
    assert found.cells.tolist() == [[float(one) for one in row] for row in texts]
    assert found.answer == before + json.dumps([texts[0], texts[-1]], separators=(",", ":")) + after


ROW = '["1","2","3","4","5","6"]'


@pytest.mark.parametrize(
    "answer",
    [
        "", "[]", "{}", f"[{ROW},{ROW}]", f'[{ROW},["1","2","3"],{ROW}]', f'[{ROW},["1","2","3","4","5","x"],{ROW}]',
        f"[{ROW},{ROW},[1,2,3,4,5,6]]", f"[{ROW},{ROW},{ROW}, {ROW}]", f'[{ROW},{ROW},["1","2","3","4","5",null]]',
        f'[{ROW},{ROW},["1","2","3","4","5","6\\u0030"]]', f"[{ROW},{ROW},{ROW}", f'{{"a":[{ROW}],"b":[{ROW},{ROW}]}}',
        f'[{ROW},{ROW},["1","2","3","4","5",""]]',
    ],
)  # fmt: skip
def test_an_answer_with_anything_else_is_left_to_json(answer: str) -> None:
    assert columns.taken(answer) is None


def test_rows_that_ccxt_reads_in_another_way_are_its_own_when_asked_again() -> None:
    made = client.connect(Exchange(), "bybit", "X/USDT:USDT", Pace())
    made.parse_ohlcv = lambda row, market=None: [2 * float(one) for one in row[:6]]
    answer = '{"list":[' + ",".join(f'["{at}","1","2","3","4","5","6"]' for at in range(4)) + "]}"
    for was_asked in (1, 2):
        made.answer.wants_bars = made.by_table
        rows = made.parse_json(answer)["list"]
        if was_asked == 1:
            with pytest.raises(ccxt_class.errors().BadResponse, match="in another way"):
                made.parse_ohlcvs(rows)
        else:
            assert len(rows) == 4
            assert made.parse_ohlcvs(rows)[3] == [6.0, 2.0, 4.0, 6.0, 8.0, 10.0]


@pytest.mark.parametrize("rows", [[], None, "no rows", [[None] * 7], [["1", "2"]], [{"t": 1}], [["1"] * 7, ["x"] * 7]])
def test_columns_leave_what_they_do_not_know_to_ccxt(rows: Any) -> None:
    exchange = ccxt_class.load("bybit")()
    assert columns.read(rows, lambda one: exchange.parse_ohlcv(one, {"inverse": False})) is None


def test_one_exchange_is_imported_and_all_can_be_later() -> None:
    script = (
        "import sys; from quant.fetch import ccxt_class; okx = ccxt_class.load('okx');"
        "print([n for n in ('ccxt', 'ccxt.okx', 'ccxt.kraken') if n in sys.modules]);"
        "import ccxt; print(len(ccxt.exchanges) > 90, ccxt.okx is okx, set(ccxt.exchanges) - set(ccxt_class.names()))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["['ccxt.okx']", "True True set()"], done.stderr


def test_addresses_keep_their_path() -> None:
    urls = {"api": {"public": "https://api.binance.com/api/v3", "rest": "https://{hostname}"}}
    assert client.elsewhere(urls, "http://127.0.0.1:1/") == {
        "api": {"public": "http://127.0.0.1:1/api/v3", "rest": "http://127.0.0.1:1"}
    }


@pytest.mark.parametrize(
    ("name", "contract", "rate_limit", "cost", "allowed"),
    [
        ("binance", False, 50, 0.4, 6000 / 60 / 2),
        ("binanceusdm", True, 50, 2, 2400 / 60 / 2),
        ("bybit", True, 20, 5, 600 / 5),
        ("bitget", False, 50, 1, 20),
        ("okx", False, 110, 1, 20 / 2),
        ("okx", False, 110, 0.5, 40 / 2),
    ],
)
def test_the_pace_is_a_little_less_than_what_is_allowed(
    name: str, contract: bool, rate_limit: float, cost: float, allowed: float
) -> None:
    """Costs as ccxt has them: a release that changes one must be looked at."""
    rate = 1 / limits.of(name, contract=contract).seconds(rate_limit, cost)
    assert 0.96 <= rate / allowed <= 0.985
    assert ccxt_class.load(name)().rateLimit == pytest.approx(rate_limit)


def test_requests_are_spaced_evenly_by_all_threads_together() -> None:
    pace, times = Pace(), list[float]()

    def go() -> None:
        for _ in range(5):
            pace.wait(0.02)
            times.append(time.monotonic())

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 20
    assert max(times) - min(times) >= 18 * 0.02 - 0.02


def test_a_pause_holds_those_who_stand_in_line_too() -> None:
    pace = Pace()
    pace.wait(1.0)
    times: list[float] = []
    waiting = [threading.Thread(target=lambda: (pace.wait(0.01), times.append(time.monotonic()))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    held = time.monotonic()
    pace.hold(1.5)
    for thread in waiting:
        thread.join()
    assert min(times) - held >= 1.49


def test_stopping_ends_every_wait() -> None:
    pace = Pace()
    pace.hold(60)
    ended: list[bool] = []

    def wait() -> None:
        with pytest.raises(Stopped):
            pace.wait(1)
        ended.append(True)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    pace.stop()
    for thread in threads:
        thread.join(5)
    assert ended == [True] * 3


def test_results_come_in_the_order_of_the_jobs_and_work_is_taken_carefully() -> None:
    jobs, running, most = iter(range(40)), threading.Semaphore(0), [0]
    taken = count()

    def work(job: int) -> int:
        time.sleep(0.002 * (job % 3))
        return job * job

    def next_job() -> int | None:
        most[0] = next(taken) + 1
        return next(jobs, None)

    results = ordered(next_job, work, 8)
    assert next(results) == (0, 0)
    assert most[0] <= FIRST + 1
    assert list(results) == [(job, job * job) for job in range(1, 40)]
    assert not running.acquire(blocking=False)


def test_an_error_comes_in_its_turn() -> None:
    jobs = iter(range(10))
    results = ordered(lambda: next(jobs, None), lambda job: 1 // (3 - job), 4)
    assert [next(results)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        next(results)


def _failure(name: str, status: int | None, **headers: str) -> failure.Failure:
    error = getattr(ccxt_class.errors(), name, None) or getattr(__import__("builtins"), name)
    return failure.of(
        error("x GET https://host/path"), status, {k.replace("_", "-"): v for k, v in headers.items()}, 30
    )


@pytest.mark.parametrize(
    ("name", "status", "passing"),
    [
        ("RateLimitExceeded", 429, True),
        ("DDoSProtection", 418, True),
        ("RateLimitExceeded", 200, True),
        ("ExchangeNotAvailable", 503, True),
        ("ExchangeError", 500, True),
        ("OperationFailed", 200, True),
        ("RequestTimeout", None, True),
        ("NetworkError", None, True),
        ("BadResponse", 200, True),
        ("TypeError", 200, True),
        ("ExchangeNotAvailable", 404, False),
        ("ExchangeNotAvailable", 451, False),
        ("BadSymbol", 400, False),
        ("BadRequest", 200, False),
        ("NotSupported", None, False),
        ("AuthenticationError", 401, False),
    ],
)
def test_only_what_can_pass_is_asked_again(name: str, status: int | None, passing: bool) -> None:
    assert _failure(name, status).passing is passing


def test_how_long_to_wait() -> None:
    assert [_failure("NetworkError", None).pause(attempt) for attempt in range(9)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert _failure("RateLimitExceeded", 429, Retry_After="7").pause(0) == 7
    assert _failure("ExchangeNotAvailable", 503, Retry_After="7").pause(0) == 7
    assert _failure("RateLimitExceeded", 429, Retry_After="soon").pause(0) == 0.5
    later = format_datetime(clock.from_iso("2100-01-01T00:00:00Z"), usegmt=True)
    assert _failure("DDoSProtection", 418, Retry_After=later).pause(0) > 1e9
    assert np.isfinite(_failure("DDoSProtection", 418).pause(3))
