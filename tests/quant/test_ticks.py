"""The price step found in the prices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.candles import Candles
from quant.ticks import tick_of
from quant.timeframe import Timeframe


def candles(prices: list[float] | np.ndarray) -> Candles:
    close = np.array(prices, float)
    time = np.arange(len(close)) * 60_000
    return Candles("test", "X/Y", Timeframe.of("1m"), time, close, close, close, close, close)


@pytest.mark.parametrize(
    ("prices", "tick"),
    [
        ([1.1, 1.25, 7.0], 0.05),
        ([0.1, 0.2, 0.3], 0.1),
        ([67123.45, 67123.46], 0.01),
        ([67123.5, 67124.0], 0.5),
        ([4500.25, 4500.75, 4501.0], 0.25),
        ([12.5, 15.0, 17.5], 2.5),
        ([30.0, 60.0, 70.0], 10.0),
        ([0.00001234, 0.00001235], 1e-8),
        ([0.00000001], 1e-8),
        ([1.08123, 1.0813], 1e-5),
        ([7.0, 14.0, 21.0], 1.0),
        ([1.0], 1.0),
        ([], 1.0),
    ],
)
def test_the_largest_usual_step_that_divides_every_price(prices: list[float], tick: float) -> None:
    assert tick_of(candles(prices)) == tick


@given(st.integers(0, 10), st.lists(st.integers(1, 10**9), min_size=1, max_size=50))
def test_every_price_is_a_whole_multiple(decimals: int, units: list[int]) -> None:
    prices = np.array([float(f"{unit}e-{decimals}") for unit in units])
    tick = tick_of(candles(prices))
    assert np.allclose(np.rint(prices / tick) * tick, prices, rtol=1e-14, atol=0)
    assert tick >= 10.0**-decimals * (1 - 1e-12)


def test_prices_that_are_multiples_of_nothing_get_a_step_far_below_any_market() -> None:
    walk = 30_000 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.002, 5_000)))
    tick = tick_of(candles(walk))
    assert 1e-11 < tick / walk.max() <= 1e-9
    assert np.abs(np.rint(walk / tick) * tick - walk).max() <= tick
