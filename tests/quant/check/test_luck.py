"""Luck: the papers' own examples, and what a chance series must give."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quant.candles import F64
from quant.config.study import MonteCarlo
from quant.engine.result import Result, Trades
from quant.luck import (
    Moments,
    definitions,
    deflated_sharpe,
    expected_best,
    least_bars,
    monte_carlo,
    of_sharpe,
    probabilistic_sharpe,
    returns_of,
    trade_returns,
)
from tests.quant.strategies.series_kit import walk

YEAR = 250
PAPER = Moments(1250, 2.5 / math.sqrt(YEAR), -3.0, 10.0)
"""The example of The Deflated Sharpe Ratio: five years of days, a Sharpe of 2.5 a year; trials vary by 1/2."""


@pytest.mark.parametrize(("trials", "told"), [(100, 0.9004), (46, 0.9505)])
def test_the_papers_deflated_sharpe(trials: int, told: float) -> None:
    assert deflated_sharpe(PAPER, trials, 0.5 / YEAR) == pytest.approx(told, abs=1e-4)


def test_the_papers_deflated_sharpe_for_normal_returns() -> None:
    normal = Moments(1250, PAPER.sharpe, 0.0, 3.0)
    assert deflated_sharpe(normal, 88, 0.5 / YEAR) == pytest.approx(0.9505, abs=1e-4)
    assert expected_best(100, 0.5 / YEAR) == pytest.approx(0.1132, abs=1e-4)


def test_the_papers_probabilistic_sharpe_and_track_record() -> None:
    """The Sharpe Ratio Efficient Frontier: 24 months at 0.458 a month, skewness -2.448, kurtosis 10.164."""
    fund = Moments(24, 0.458, -2.448, 10.164)
    assert probabilistic_sharpe(Moments(24, 0.458, 0.0, 3.0)) == pytest.approx(0.982, abs=1e-3)  # as if normal
    assert probabilistic_sharpe(fund) == pytest.approx(0.913, abs=1e-3)
    assert least_bars(Moments(0, 2 / math.sqrt(YEAR), 0.0, 3.0)) / YEAR == pytest.approx(0.69, abs=0.02)


def test_the_best_of_trials_is_what_chance_gives() -> None:
    random = np.random.default_rng(1)
    for trials in (10, 100, 1000):
        best = random.normal(0, 0.3, (4000, trials)).max(axis=1).mean()
        assert expected_best(trials, 0.09) == pytest.approx(best, rel=0.03)
    assert expected_best(1, 0.09) == 0


def result(equity: F64, pnl: F64) -> Result:
    candles = walk(len(equity))
    nothing, count = np.zeros(len(pnl)), len(pnl)
    integers = np.zeros(count, np.int64)
    small = np.ones(count, np.int8)
    trades = Trades(
        small, integers, integers, nothing, nothing, nothing, nothing, pnl, nothing, nothing, nothing, nothing, nothing,
        small,
    )  # fmt: skip
    return Result(candles, 1000.0, equity, nothing, trades)


def test_moments_of_returns_and_a_curve_that_never_moves() -> None:
    random = np.random.default_rng(2)
    moments = Moments.of(random.normal(0.001, 0.01, 100_000))
    assert moments.sharpe == pytest.approx(0.1, abs=0.01)
    assert moments.skewness == pytest.approx(0, abs=0.05)
    assert moments.kurtosis == pytest.approx(3, abs=0.1)
    still = of_sharpe(result(np.full(10, 1000.0), np.zeros(0)))
    assert math.isnan(still["PSR"])
    assert math.isnan(still["DSR"])
    assert still["min_days"] == math.inf
    assert returns_of(np.array([1100.0, 0.0, 0.0]), 1000).tolist() == [pytest.approx(0.1), -1, 0]


def test_more_trials_make_a_sharpe_worth_less() -> None:
    random = np.random.default_rng(3)
    lucky = result(1000 * np.cumprod(1 + random.normal(0.00005, 0.005, 20_000)), np.zeros(0))
    one, many = of_sharpe(lucky, 1), of_sharpe(lucky, 1000)
    assert one["DSR"] == one["PSR"] > 0.9
    assert many["DSR"] < 0.5 < many["luck_sharpe"]
    assert of_sharpe(lucky, 1000, 0.0)["DSR"] == one["PSR"]  # trials that are all alike are one


def test_monte_carlo_keeps_the_trades_and_repeats_itself() -> None:
    random = np.random.default_rng(4)
    returns = random.normal(0.002, 0.02, 300)
    equity = 1000 * np.cumprod(1 + returns)
    run = result(equity, np.diff(equity, prepend=1000.0))
    assert trade_returns(run) == pytest.approx(returns)
    shuffled = monte_carlo(run, MonteCarlo(runs=500, method="shuffle"), 7)
    assert shuffled["mc_return_p05"] == pytest.approx(equity[-1] / 1000 - 1)
    assert shuffled["mc_return_p95"] == pytest.approx(equity[-1] / 1000 - 1)
    assert shuffled["mc_mdd_p05"] < shuffled["mc_mdd_p50"] < shuffled["mc_mdd_p95"] < 0
    drawn = monte_carlo(run, MonteCarlo(runs=500), 7)
    assert drawn["mc_return_p05"] < shuffled["mc_return_p50"] < drawn["mc_return_p95"]
    assert drawn == monte_carlo(run, MonteCarlo(runs=500), 7)
    assert drawn != monte_carlo(run, MonteCarlo(runs=500), 8)
    assert set(drawn) | set(of_sharpe(run)) == set(definitions())


def test_many_runs_come_in_parts_of_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    equity = 1000 * np.cumprod(1 + np.random.default_rng(5).normal(0, 0.02, 50))
    run = result(equity, np.diff(equity, prepend=1000.0))
    whole = monte_carlo(run, MonteCarlo(runs=200), 1)
    monkeypatch.setattr("quant.luck.AT_A_TIME", 1000)
    assert monte_carlo(run, MonteCarlo(runs=200), 1) == whole


def test_no_trades_and_a_lost_account() -> None:
    none = monte_carlo(result(np.full(5, 1000.0), np.zeros(0)), MonteCarlo(runs=10), 0)
    assert all(math.isnan(value) for value in none.values())
    lost = monte_carlo(result(np.array([500.0, 0.0]), np.array([-500.0, -600.0])), MonteCarlo(runs=10), 0)
    assert lost["mc_loss"] == 1
    assert lost["mc_return_p05"] == lost["mc_mdd_p05"] == -1
