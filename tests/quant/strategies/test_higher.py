"""Higher timeframes: what a bar of the lower one may know of them."""

from __future__ import annotations

import numpy as np
import pytest

from quant.candles import Candles
from quant.errors import UsageError
from quant.indicators import View
from quant.timeframe import UNITS
from tests.quant.strategies.series_kit import BEGIN, drawn, flat, walk

DAY = UNITS["d"]


def plainly(candles: Candles, higher_ms: int, anchor: int = 0) -> list[list[int]]:
    """For each closed higher bar, the lower bars it is made of: by the definition, bar by bar."""
    groups: dict[int, list[int]] = {}
    for t, time in enumerate(candles.time):
        groups.setdefault((int(time) - anchor) // higher_ms, []).append(t)
    end = int(candles.time[-1]) + candles.timeframe.ms
    whole = [(k, bars) for k, bars in groups.items() if (k + 1) * higher_ms + anchor <= end]
    began = candles.time[0] - anchor
    return [bars for k, bars in whole if k * higher_ms >= began]


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(("text", "ms", "anchor"), [("1h", UNITS["h"], 0), ("1d", DAY, 0), ("1w", 7 * DAY, 4 * DAY)])
@pytest.mark.parametrize("cut", [0, 1, 3])
def test_bars_are_those_that_closed(text: str, ms: int, anchor: int, gaps: bool, cut: int) -> None:
    c = walk(3000, gaps=gaps).part(cut, 2900 if not gaps else 2500)
    higher = View(c, 0.1).higher(text)
    made, groups = higher.view.candles, plainly(c, ms, anchor)
    assert made.open.tolist() == [c.open[g[0]] for g in groups]
    assert made.close.tolist() == [c.close[g[-1]] for g in groups]
    assert made.high.tolist() == [c.high[g].max() for g in groups]
    assert made.low.tolist() == [c.low[g].min() for g in groups]
    assert made.volume.tolist() == [c.volume[g].sum() for g in groups]
    key = made.time + ms - c.timeframe.ms
    assert higher.known.tolist() == (np.searchsorted(key, c.time, side="right") - 1).tolist()


def test_an_hour_is_known_at_its_last_quarter() -> None:
    c = flat([1, 2, 3, 4, 5, 6, 7, 8], timeframe="15m")
    assert View(c, 1).higher("1h").known.tolist() == [-1, -1, -1, 0, 0, 0, 0, 1]
    assert np.isnan(View(c, 1).higher("1h").spread(np.array([4.0, 8.0]))[:3]).all()
    assert View(c, 1).higher("1h").spread(np.array([4.0, 8.0]))[3:].tolist() == [4, 4, 4, 4, 8]
    missing = Candles(c.source, c.symbol, c.timeframe, *(getattr(c, n)[[0, 1, 2, 4, 5]] for n in
                      ("time", "open", "high", "low", "close", "volume")))  # fmt: skip
    assert View(missing, 1).higher("1h").known.tolist() == [-1, -1, -1, 0, 0]


def test_weeks_begin_on_monday() -> None:
    sunday = BEGIN - DAY
    c = flat([1, 2, 3, 4, 5, 6, 7, 8, 9], timeframe="1d", begin=sunday)
    week = View(c, 1).higher("1w").view.candles
    assert week.time.tolist() == [BEGIN]
    assert week.close.tolist() == [8]
    assert View(c, 1).higher("1w").known.tolist() == [-1] * 7 + [0, 0]


def test_the_own_timeframe_is_known_at_once() -> None:
    c = walk(50)
    assert View(c, 0.1).higher("15m").known.tolist() == list(range(50))


@pytest.mark.parametrize("text", ["5m", "20m", "nonsense"])
def test_bars_that_cannot_be_made_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        View(walk(50), 0.1).higher(text)
    with pytest.raises(UsageError):
        View(flat([1, 2], timeframe="3d", begin=0), 1).higher("3w")


def test_too_few_bars_for_one_that_is_closed() -> None:
    for bars in (0, 1, 3):
        higher = View(walk(bars), 0.1).higher("1d")
        assert len(higher.view.candles) == 0
        assert higher.trend(1, 5).tolist() == higher.close_side(5).tolist() == [0] * bars


def test_a_close_is_held_against_the_average_exactly() -> None:
    c = drawn([(1, 9, 1, close) for close in (0.1, 0.2, 0.3, 0.2, 0.2, 0.3, 0.1, 0.1)], timeframe="15m")
    view = View(c, 0.1)
    assert view.higher("30m").close_side(2).tolist() == [0, 0, 0, 0, 0, 1, -1, -1]
