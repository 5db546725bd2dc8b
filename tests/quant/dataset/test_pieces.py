"""The parts a dataset is made of: periods, merging, gaps, and stores other than a disk."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.candles import COLUMNS, Candles
from quant.dataset import Dataset, gaps
from quant.dataset.merge import merge
from quant.dataset.rules import broken
from quant.periods import split
from quant.timeframe import Timeframe
from quant.times import milliseconds, shown
from tests.quant.dataset.series import HOUR, START, bars


def times(first: str, count: int, tf: str) -> np.ndarray:
    return milliseconds(datetime.fromisoformat(first)) + np.arange(count) * Timeframe.of(tf).ms


@pytest.mark.parametrize(
    ("first", "count", "tf", "periods"),
    [
        ("2023-12-31 22:00", 4, "1h", [("2023", 0, 2), ("2024", 2, 4)]),
        ("2023-12-31 23:58", 4, "1m", [("2023-12", 0, 2), ("2024-01", 2, 4)]),
        ("1969-12-31 00:00", 2, "1d", [("1969", 0, 1), ("1970", 1, 2)]),
        ("2024-02-29 00:00", 1, "5m", [("2024", 0, 1)]),
        ("2024-01-01 00:00", 0, "5m", []),
    ],
)
def test_periods_are_years_and_for_short_bars_months(
    first: str, count: int, tf: str, periods: list[tuple[str, int, int]]
) -> None:
    assert split(times(first, count, tf), Timeframe.of(tf)) == periods


def test_a_period_without_bars_is_none() -> None:
    time = np.array([milliseconds(date(2020, 5, 1)), milliseconds(date(2023, 5, 1))])
    assert split(time, Timeframe.of("1d")) == [("2020", 0, 1), ("2023", 1, 2)]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 200)), min_size=1, max_size=6))
def test_merging_pieces_in_any_order_gives_what_they_cover(pieces: list[tuple[int, int]]) -> None:
    whole, have, covered = bars(600), None, np.zeros(600, bool)
    for begin, length in pieces:
        before = int(covered.sum())
        covered[begin : begin + length] = True
        merged = merge(have, whole.part(begin, begin + length))
        assert (merged.added, merged.replaced) == (int(covered.sum()) - before, 0)
        have = merged.candles
    assert have is not None
    assert all((getattr(have, name) == getattr(whole, name)[covered]).all() for name in COLUMNS)


@given(st.sets(st.integers(0, 300), min_size=1))
def test_gaps_are_exactly_the_bars_between_that_are_missing(kept: set[int]) -> None:
    there = np.array(sorted(kept))
    missing = sorted(set(range(there[0], there[-1])) - kept)
    found = gaps.find(START + there * HOUR, HOUR)
    listed = [first // HOUR + number for first, count in (found - [START, 0]).tolist() for number in range(count)]
    assert listed == missing
    summary = gaps.summary(START + there * HOUR, HOUR)
    assert (summary.count, summary.missing) == (len(found), len(missing))
    assert [gap.bars for gap in summary.longest] == sorted(found[:, 1].tolist(), reverse=True)[: gaps.SHOWN]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 9_000)), min_size=1, max_size=4))
def test_the_catalogue_counts_gaps_and_hashes_as_if_all_was_read(pieces: list[tuple[int, int]]) -> None:
    whole = bars(18_000)
    dataset = Dataset(f"memory://any other store/{pieces}")
    for begin, length in pieces:
        series = dataset.add(whole.part(begin, begin + length)).series
    loaded = dataset.load("BTC/USDT", "1h")
    assert (series.bars, series.first, series.last) == (len(loaded), loaded.time[0], loaded.time[-1])
    assert series.sha256 == loaded.sha256
    assert series.gaps == gaps.summary(loaded.time, HOUR)


def test_the_hash_is_of_the_bars_and_of_what_they_are() -> None:
    candles = bars(9_000)
    copied = {name: getattr(candles, name).copy() for name in COLUMNS}
    assert Candles("other", candles.symbol, candles.timeframe, **copied).sha256 == candles.sha256
    assert bars(9_000, symbol="ETH/USDT").sha256 != candles.sha256
    copied["close"][8_999] = np.nextafter(copied["close"][8_999], np.inf)
    assert Candles("binance", candles.symbol, candles.timeframe, **copied).sha256 != candles.sha256
    assert bars(0).sha256 != bars(1).sha256


def test_weeks_begin_on_monday() -> None:
    monday = milliseconds(date(2024, 3, 4))
    assert not list(broken(bars(5, timeframe="1w", start=monday)))
    assert [words for words, _ in broken(bars(5, timeframe="1w", start=monday + 24 * HOUR))] == [
        "no bar of 1w begins then"
    ]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (date(2024, 3, 1), "2024-03-01 00:00"),
        (datetime(2024, 3, 1, 14, 15, tzinfo=UTC), "2024-03-01 14:15"),
        (datetime.fromisoformat("2024-03-01T14:15:07+02:00"), "2024-03-01 12:15:07"),
        (np.int64(1_709_302_500_000), "2024-03-01 14:15"),
        (10**17, "100000000000000000 ms"),
    ],
)
def test_moments_are_milliseconds_and_read_by_people(moment: object, text: str) -> None:
    assert shown(milliseconds(moment)) == text
