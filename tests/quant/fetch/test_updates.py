"""A second fetch brings what is missing and asks for nothing else; a crash loses nothing that was stored."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import numpy as np
import pytest

from quant.fetch.page import Series
from quant.timeframe import Timeframe
from tests.fakes.exchange_market import Market, now_ms
from tests.quant.fetch.kit import DAY, HOUR, MINUTE, Fetching, same

BARS = 40_000
"""80 answers, four seconds at the rate Binance's futures allow."""


def asked_opens(fetch: Fetching, since: int = 0) -> list[tuple[int, int]]:
    """[begin, end) of each request for a window, as Binance was asked."""
    queries = [one.query for one in fetch.exchange.of("bars")[since:] if "startTime" in one.query]
    return [(int(query["startTime"]), int(query["endTime"])) for query in queries]


def test_an_update_asks_for_newer_bars_only_and_the_same_bars_have_the_same_hash(
    fetching: Callable[..., Fetching],
) -> None:
    fetch = fetching(tf="1h")
    fetch.exchange.ahead = -3 * DAY
    assert fetch("--bars", "2000") == 0
    before, asked = fetch.stored(), len(fetch.exchange.of("bars"))
    fetch.exchange.ahead = 0
    assert fetch() == 0
    after = fetch.stored()
    assert after.time[0] == before.time[0]
    assert len(after) in (2072, 2073)
    assert after.part(0, 2000).sha256 == before.sha256
    assert asked_opens(fetch, asked) == [(before.time[-1] + HOUR, after.time[-1] + HOUR)]
    assert "72 bars fetched" in fetch.out or "73 bars fetched" in fetch.out


def test_older_bars_join_the_ones_that_are_there(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching(tf="1h")
    assert fetch("--bars", "500") == 0
    first, asked = int(fetch.stored().time[0]), len(fetch.exchange.of("bars"))
    assert fetch("--bars", "1200") == 0
    assert len(fetch.stored()) in (1200, 1201)
    assert all(end <= first or begin > first for begin, end in asked_opens(fetch, asked))
    assert fetch("--since", "2024-01-01") == 0
    candles = fetch.stored()
    assert candles.time[0] == 1_704_067_200_000
    assert same(candles, fetch.exchange.markets[0])
    assert "gaps" not in fetch.out


def test_a_stretch_elsewhere_brings_what_lies_between(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching(tf="1d")
    assert fetch("--since", "2021-01-01", "--until", "2021-02-01") == 0
    assert len(fetch.stored()) == 31
    assert fetch("--since", "2021-06-01", "--until", "2021-06-02") == 0
    assert len(fetch.stored()) == 31 + 28 + 31 + 30 + 31 + 1
    assert fetch("--since", "2020-12-01", "--until", "2020-12-05") == 0
    assert len(fetch.stored()) == 31 + 31 + 28 + 31 + 30 + 31 + 1


def test_holes_of_other_origin_are_filled_and_real_ones_asked_for_once_a_run(
    fetching: Callable[..., Fetching],
) -> None:
    """Imported months with one between them missing, and a day that the exchange itself lacks."""
    closed = (1_615_000_000_000 // DAY * DAY, 1_615_000_000_000 // DAY * DAY + DAY)
    fetch = fetching(tf="1h", markets=[Market(gaps=[closed])])
    series = Series("binance", "BTC/USDT", Timeframe.of("1h"))
    for begin, end in (("2021-01-01", "2021-02-01"), ("2021-03-01", "2021-04-01"), ("2021-04-03", "2021-05-01")):
        first, last = (int(np.datetime64(at, "ms").astype(int)) for at in (begin, end))
        bars = fetch.exchange.markets[0].bars(HOUR, first, last - 1, now_ms())
        fetch.dataset.add(series.candles(np.array([list(map(float, bar)) for bar in bars])))
    assert fetch("--since", "2021-01-01", "--until", "2021-05-01") == 0
    assert f"{28 * 24 + 48} bars fetched" in fetch.out
    assert "1 gaps, 24 bars missing" in fetch.out
    assert same(fetch.stored(), fetch.exchange.markets[0])
    asked = len(fetch.exchange.of("bars"))
    assert fetch("--since", "2021-01-01", "--until", "2021-05-01") == 0
    assert asked_opens(fetch, asked) == [closed, closed]  # nothing is believed when it comes once


def test_so_many_before_a_date_are_counted_before_it(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching(tf="1d")
    assert fetch("--since", "2021-06-01", "--until", "2021-06-03") == 0
    assert fetch("--bars", "10", "--until", "2021-05-11") == 0
    opens = fetch.stored().time.tolist()
    assert (opens[0], len(opens)) == (1_619_827_200_000, 33)  # 2021-05-01
    assert fetch("--bars", "12", "--until", "2021-05-11") == 0
    assert len(fetch.stored()) == 35


def test_the_unfinished_bar_is_dropped_by_the_exchange_s_clock(fetching: Callable[..., Fetching]) -> None:
    """Our clock may be wrong; a bar that still moves must not be stored."""
    fetch = fetching(tf="1m")
    fetch.exchange.ahead = -2 * HOUR
    assert fetch("--bars", "10") == 0
    end = int(fetch.stored().time[-1]) + MINUTE
    theirs = now_ms() - 2 * HOUR
    assert theirs - 2 * MINUTE < end <= theirs


def test_a_market_that_is_traded_no_more_gives_its_last_bars(fetching: Callable[..., Fetching]) -> None:
    ended = now_ms() - 300 * DAY
    market = Market(ended=ended)
    fetch = fetching(tf="1h", markets=[market])
    assert fetch("--bars", "1000") == 0
    assert len(fetch.stored()) == 1000
    assert 0 <= ended - fetch.stored().time[-1] <= 2 * HOUR
    assert fetch() == 0
    assert len(fetch.exchange.of("bars")) < 8


def test_weeks_begin_on_monday(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching(tf="1w")
    assert fetch("--bars", "50") == 0, fetch.err
    assert same(fetch.stored(), fetch.exchange.markets[0])
    assert len(fetch.stored()) == 50


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_it_goes_on_where_it_was(fetching: Callable[..., Fetching], blow: signal.Signals) -> None:
    fetch = fetching("binanceusdm", "BTC/USDT:USDT", "5m")
    began = fetch.started("--bars", str(BARS))
    deadline = time.monotonic() + 60
    while not fetch.dataset.series() and time.monotonic() < deadline:
        time.sleep(0.02)
    began.send_signal(blow)
    _, told = began.communicate(timeout=20)
    assert began.returncode == (-9 if blow == signal.SIGKILL else 130)
    assert blow == signal.SIGKILL or "nothing is half-written" in told
    there = fetch.dataset.series()
    have = (there[0].first, there[0].last)
    assert 0 < there[0].bars < BARS
    asked = len(fetch.exchange.of("bars"))
    assert fetch("--bars", str(BARS)) == 0, fetch.err
    assert len(fetch.stored()) in (BARS, BARS + 1)
    assert same(fetch.stored(), fetch.exchange.markets[0])
    assert all(end <= have[0] or begin > have[1] for begin, end in asked_opens(fetch, asked))


def test_an_exchange_that_fails_in_the_middle_leaves_whole_pages(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching(tf="1h")
    fetch.exchange.faults.extend(["", "", "", "", "403"])
    assert fetch("--bars", "10000") == 1
    assert "binance refuses us (HTTP 403)" in fetch.err
    assert fetch.err.count("error:") == 1
    assert same(fetch.stored(), fetch.exchange.markets[0])
    assert len(fetch.stored()) % 999 == 0
    assert fetch("--bars", "10000") == 0
    assert len(fetch.stored()) == 10_000
