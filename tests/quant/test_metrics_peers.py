"""The same curve, the same figures as quantstats, empyrical-reloaded and vectorbt: to 1e-9, where definitions agree.

Where they do not, a test says which one it is, and works out theirs from ours.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from quant import engine, metrics
from quant.config import parse
from quant.engine import Result
from tests.quant import peers
from tests.quant.test_backtest import walk

PERIODS = 35_040
AGREED = ("Sharpe", "Sortino", "CAGR", "volatility", "total_return", "MDD", "Calmar")
CURVES = ("of a strategy", "falling", "below its start at once")
FIGURES = [(peer, name) for peer in ("quantstats", "empyrical", "vectorbt") for name in AGREED]


@cache
def result() -> Result:
    """A real run: long and short, stops, fees, bars without a position."""
    given = {
        "data": {"symbol": "BTC/USDT", "timeframe": "15m"},
        "strategy": {"params": {"fast": 5, "slow": 30}},
        "exits": {"stop_atr": 2},
    }
    return engine.run(parse(given), walk(3000))


@cache
def curves() -> dict[str, tuple[np.ndarray, float]]:
    fall = 100 * np.cumprod(1 + np.random.default_rng(7).normal(-1e-3, 1e-2, 500))
    return dict(
        zip(
            CURVES, [(result().equity, result().initial), (fall, 100.0), (np.array([90, 95, 99.0]), 100.0)], strict=True
        )
    )


@cache
def theirs() -> dict[str, dict[str, dict[str, float]]]:
    trades = result().trades
    told = {
        "EntryBar": trades.entry_bar.tolist(), "ExitBar": trades.exit_bar.tolist(), "PnL": trades.pnl.tolist(),
        "ReturnPct": gained().tolist(), "Size": (trades.side * trades.quantity).tolist(),
    }  # fmt: skip
    asked = [
        {
            "equity": equity.tolist(),
            "initial": initial,
            "periods": PERIODS,
            "trades": told if name == CURVES[0] else None,
        }
        for name, (equity, initial) in curves().items()
    ]
    return dict(zip(CURVES, peers.ask("curves", asked), strict=True))


def gained() -> Any:
    """What each trade earned of its entry value, before costs: backtesting.py's return of a trade."""
    trades = result().trades
    return trades.side * (trades.exit / trades.entry - 1)


def ours(curve: str) -> dict[str, float]:
    equity, initial = curves()[curve]
    return metrics.of_curve(equity, initial, PERIODS)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    ("peer", "name"), [one for one in FIGURES if one not in {("vectorbt", "MDD"), ("vectorbt", "Calmar")}]
)
def test_equal_where_definitions_agree(curve: str, peer: str, name: str) -> None:
    assert ours(curve)[name] == pytest.approx(theirs()[curve][peer][name], rel=1e-9, abs=0)


@pytest.mark.parametrize("curve", CURVES)
def test_vectorbts_drawdown_leaves_the_initial_equity_out(curve: str) -> None:
    """Its returns accessor begins at the first bar's close, so a fall within the first bar is not seen."""
    equity, _ = curves()[curve]
    without = float((equity / np.maximum.accumulate(equity) - 1).min())
    assert without == pytest.approx(theirs()[curve]["vectorbt"]["MDD"], rel=1e-9)
    if without:
        assert ours(curve)["CAGR"] / -without == pytest.approx(theirs()[curve]["vectorbt"]["Calmar"], rel=1e-9)


def test_the_initial_equity_makes_a_difference_here() -> None:
    assert ours(CURVES[2])["MDD"] == pytest.approx(-0.1)
    assert theirs()[CURVES[2]]["vectorbt"]["MDD"] == 0


def test_quantstats_takes_252_periods_unless_told() -> None:
    said = theirs()[CURVES[0]]["quantstats"]
    assert said["Sharpe_unless_told"] == pytest.approx(ours(CURVES[0])["Sharpe"] * math.sqrt(252 / PERIODS), rel=1e-9)


def test_quantstats_profit_factor_is_of_bars_ours_of_trades() -> None:
    equity, initial = curves()[CURVES[0]]
    r = equity / np.concatenate([[initial], equity[:-1]]) - 1
    of_bars = r[r > 0].sum() / -r[r < 0].sum()
    assert of_bars == pytest.approx(theirs()[CURVES[0]]["quantstats"]["PF"], rel=1e-9)
    pnl = result().trades.pnl
    assert metrics.measure(result())["PF"] == pytest.approx(pnl[pnl > 0].sum() / -pnl[pnl < 0].sum(), rel=1e-12)


def test_quantstats_exposure_is_bars_that_earned_something_rounded_up() -> None:
    """To the next percent; ours counts the bars that close with a position, as they are."""
    equity, initial = curves()[CURVES[0]]
    moved = float((equity != np.concatenate([[initial], equity[:-1]])).mean())
    assert theirs()[CURVES[0]]["quantstats"]["Exposure"] == pytest.approx(math.ceil(moved * 100) / 100)
    assert metrics.measure(result())["Exposure"] == float((result().position != 0).mean())


def test_backtesting_py_counts_from_the_first_close_and_takes_its_factor_over_percentages() -> None:
    said, equity = theirs()[CURVES[0]]["backtesting"], result().equity
    assert said["total_return"] == pytest.approx(equity[-1] / equity[0] - 1, rel=1e-9)
    assert said["MDD"] == pytest.approx(float((equity / np.maximum.accumulate(equity) - 1).min()), rel=1e-9)
    of_returns = gained()[gained() > 0].sum() / -gained()[gained() < 0].sum()
    assert said["PF"] == pytest.approx(of_returns, rel=1e-9)
    assert said["win_rate"] == pytest.approx(metrics.measure(result())["win_rate"], rel=1e-9)


def test_backtesting_py_takes_days_and_annualises_geometrically() -> None:
    """Its Sharpe is of daily returns: the geometric growth of a year over a volatility that is compounded too."""
    equity = result().equity
    last = np.append(equity[95:-1:96], equity[-1])
    r = last[1:] / last[:-1] - 1
    growth = math.prod(1 + r) ** (1 / len(r))
    year, variance = growth**365 - 1, float(r.var(ddof=1))
    volatility = math.sqrt((variance + growth**2) ** 365 - growth ** (2 * 365))
    assert theirs()[CURVES[0]]["backtesting"]["Sharpe"] == pytest.approx(year / volatility, rel=1e-9)
    assert theirs()[CURVES[0]]["backtesting"]["Sharpe"] != pytest.approx(metrics.measure(result())["Sharpe"], rel=0.01)
