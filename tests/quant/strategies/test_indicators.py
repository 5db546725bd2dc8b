"""Indicators against their definitions written out, and against being cut off."""

from __future__ import annotations

import numpy as np
import pytest

from quant.errors import BadData
from quant.indicators import View
from tests.quant.strategies.series_kit import flat, walk

TICK = 0.1


@pytest.fixture(scope="module")
def view() -> View:
    return View(walk(700, gaps=True), TICK)


def test_exponential_average_begins_with_the_plain_one(view: View) -> None:
    close, found = view.candles.close, view.ema(10)
    assert np.isnan(found[:9]).all()
    value = close[:10].mean()
    for t in range(10, len(close)):
        value = close[t] * 2 / 11 + value * 9 / 11
        assert found[t] == pytest.approx(value, rel=1e-12)


def test_average_true_range_is_wilders(view: View) -> None:
    c, found = view.candles, view.atr(14)
    before = np.concatenate([c.close[:1], c.close[:-1]])
    span = np.max([c.high - c.low, abs(c.high - before), abs(c.low - before)], axis=0)
    value = span[:14].mean()
    assert np.isnan(found[:13]).all()
    for t in range(14, len(span)):
        value = (value * 13 + span[t]) / 14
        assert found[t] == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("length", [1, 2, 20, 699, 701])
def test_extremes_of_a_window(view: View, length: int) -> None:
    c = view.candles
    for found, values, pick in ((view.highest(length), c.high, np.max), (view.lowest(length), c.low, np.min)):
        plain = [pick(values[t + 1 - length : t + 1]) if t >= length - 1 else np.nan for t in range(len(c))]
        assert np.array_equal(found, plain, equal_nan=True)


def test_a_breakout_is_over_the_bars_before_it() -> None:
    view = View(flat([5, 5, 6, 6, 7, 4, 4]), 1)
    assert view.breakouts(2).tolist() == [0, 0, 1, 0, 1, -1, 0]


def test_averages_that_are_equal_leave_things_as_they_were() -> None:
    """In floats, 3 closes of 0.1 and their thirds differ; in ticks they are equal."""
    closes = [0.3, 0.3, 0.1, 0.2, 0.2, 0.2, 0.2, 0.5]
    assert View(flat(closes), TICK).averages_side(1, 3).tolist() == [0, 0, -1, -1, 1, 1, 1, 1]
    side = View(walk(3000), TICK).averages_side(3, 9)
    ticks = np.rint(walk(3000).close / TICK).astype(int)
    now = 0
    for t in range(8, 3000):
        now = int(np.sign(ticks[t - 2 : t + 1].sum() * 9 - ticks[t - 8 : t + 1].sum() * 3)) or now
        assert side[t] == now


def test_hours_may_go_past_midnight() -> None:
    view = View(flat([1] * 24), 1)
    assert np.flatnonzero(view.hours(7, 10)).tolist() == [7, 8, 9]
    assert np.flatnonzero(view.hours(22, 2)).tolist() == [0, 1, 22, 23]
    assert view.hours(0, 24).all()


def test_prices_of_too_many_ticks_are_refused_before_they_overflow() -> None:
    with pytest.raises(BadData, match="too many ticks"):
        View(flat([1e12, 2e12]), 1e-8).averages_side(1, 2)
    fits = View(flat([1e5] * 10), 1e-10)
    assert not fits.averages_side(2, 5).any()
    with pytest.raises(BadData, match="too many ticks"):
        fits.averages_side(2000, 5000)


def test_what_is_kept_is_shared_read_only_and_bounded() -> None:
    view = View(walk(1000), TICK, room=40_000)
    first = view.ema(5)
    assert view.ema(5) is first
    assert not first.flags.writeable
    for length in range(6, 30):
        view.ema(length)
    assert view._held <= 40_000
    assert view.ema(5) is not first
    assert np.array_equal(view.ema(5), first, equal_nan=True)
