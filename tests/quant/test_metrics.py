"""What a result is worth, against definitions written out once more in numpy."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest

from quant import metrics
from quant.candles import Candles
from quant.engine.result import Result, Trades
from quant.errors import BadData
from quant.timeframe import Timeframe

QUARTER = Timeframe.of("15m")


def result(equity: list[float] | np.ndarray, initial: float = 100.0, **columns: list[float]) -> Result:
    """Of an equity, and of trades given by some of their columns; the others are zeros."""
    n, m = len(equity), len(next(iter(columns.values()), []))
    price = np.ones(n)
    candles = Candles("x", "S", QUARTER, np.arange(n) * QUARTER.ms, price, price, price, price, price)
    given = {one.name: np.array(columns.get(one.name, np.zeros(m)), float) for one in fields(Trades)}
    for name in ("entry_bar", "exit_bar", "side", "reason"):
        given[name] = given[name].astype(np.int64)
    return Result(candles, initial, np.array(equity, float), np.zeros(n), Trades(**given))


def test_figures_come_in_the_order_of_the_definitions_with_the_headline_first() -> None:
    found = metrics.measure(result([101, 99]))
    assert tuple(found) == tuple(metrics.DEFINITIONS)
    assert tuple(found)[:9] == metrics.HEADLINE


@pytest.mark.parametrize("n", [2, 511, 512, 513, 5000])
def test_a_curve_by_its_definitions(n: int) -> None:
    r = np.random.default_rng(n).normal(2e-4, 1e-2, n)
    equity = 100 * np.cumprod(1 + r)
    found = metrics.measure(result(equity))
    r = equity / np.concatenate([[100.0], equity[:-1]]) - 1
    years, root = n / 35_040, math.sqrt(35_040)
    peaks = np.maximum.accumulate(np.concatenate([[100.0], equity]))[1:]
    expected = {
        "Sharpe": r.mean() / r.std(ddof=1) * root,
        "Sortino": r.mean() * root / np.sqrt((np.minimum(r, 0) ** 2).mean()),
        "CAGR": (equity[-1] / 100) ** (1 / years) - 1,
        "MDD": (equity / peaks - 1).min(),
        "volatility": r.std(ddof=1) * root,
        "total_return": equity[-1] / 100 - 1,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-10), name
    assert found["Calmar"] == found["CAGR"] / -found["MDD"]


def test_the_first_bar_can_be_the_drawdown() -> None:
    found = metrics.measure(result([90, 95, 99]))
    assert found["MDD"] == pytest.approx(-0.1)
    assert found["longest_drawdown"] == 3 / 96


def test_the_longest_time_below_a_peak() -> None:
    found = metrics.measure(result([100, 110, 109, 108, 110, 120, 119]))
    assert found["longest_drawdown"] == 2 / 96


def test_a_curve_that_grows_evenly_keeps_its_digits() -> None:
    r = 0.01 + 1e-9 * np.random.default_rng(1).normal(size=1000)
    equity = 100 * np.cumprod(1 + r)
    r = equity / np.concatenate([[100.0], equity[:-1]]) - 1
    assert metrics.measure(result(equity))["volatility"] == pytest.approx(r.std(ddof=1) * math.sqrt(35_040), rel=1e-6)


def test_ruin_is_minus_one() -> None:
    found = metrics.measure(result([50, 0, 0]))
    assert (found["CAGR"], found["MDD"], found["total_return"]) == (-1, -1, -1)


def test_trades() -> None:
    columns = {
        "pnl": [3.0, -1.0, 0.0, 1.0],
        "r": [1.5, -1.0, math.nan, 0.5],
        "fees": [0.1] * 4,
        "exit_bar": [1, 2, 3, 2],
    }
    found = metrics.measure(result([100], **columns))
    assert (found["PF"], found["Expectancy"], found["win_rate"]) == (4, 0.75, 0.5)
    assert found["R"] == pytest.approx(1 / 3)
    assert (found["average_win"], found["average_loss"], found["best_trade"], found["worst_trade"]) == (2, -1, 3, -1)
    assert (found["fees"], found["holding"]) == (pytest.approx(0.4), 2 / 96)


def test_what_cannot_be_said_is_null_in_json() -> None:
    shown = metrics.shown(metrics.measure(result([100, 100])))
    assert [name for name in metrics.HEADLINE if shown[name] is None] == [
        "Sharpe",
        "Sortino",
        "Calmar",
        "PF",
        "Expectancy",
        "R",
    ]
    assert (shown["trades"], shown["bars"], shown["MDD"]) == (0, 2, 0)
    assert metrics.shown(metrics.measure(result([101], pnl=[1.0], r=[math.nan])))["PF"] is None  # no loss: without end


def test_no_bars_and_no_numbers_are_refused() -> None:
    with pytest.raises(BadData, match="no bars"):
        metrics.of_curve(np.array([]), 100, 365)
    with pytest.raises(BadData, match="not a number"):
        metrics.of_curve(np.array([100, math.nan, 3]), 100, 365)
