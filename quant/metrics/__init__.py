"""What a result is worth, in figures whose definitions are told (`quant.metrics.definitions`).

With returns r_t = E_t / E_(t-1) - 1, where E_(-1) is the initial cash; P bars a year, around the clock; risk-free 0.
One pass over the equity in machine code, so that a sweep can afford all of them for each combination.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from quant.candles import F64, Candles
from quant.compiled import compiled_lean
from quant.engine.book import Closed
from quant.engine.result import Result, Trades
from quant.errors import BadData
from quant.metrics.curve import CurveSums, begun, ended, even, fixed, summed
from quant.metrics.definitions import COUNTS, DEFINITIONS, HEADLINE

__all__ = [
    "COUNTS", "DEFINITIONS", "HEADLINE", "CurveSums", "TradeSums", "begun", "ended", "from_curve", "from_sums",
    "from_trades", "in_days", "measure", "of_curve", "of_trades", "shown", "summed",
]  # fmt: skip

DAY_MS = 86_400_000


class TradeSums(NamedTuple):
    """Profits and losses (positive) and how many; the sum of R over how many; best and worst profit (nan without a
    trade); bars from entry to exit, fees and funding of all."""

    trades: int
    won: float
    lost: float
    wins: float
    losses: float
    risked: float
    risks: float
    best: float
    worst: float
    bars: float
    fees: float
    funding: float


def measure(result: Result) -> dict[str, float]:
    """Every figure of DEFINITIONS, in its order; nan where it cannot be said (no trade, no loss, no change).

    Raises BadData without bars, or when the equity is not a number somewhere.
    """
    per_year = result.candles.timeframe.per_year
    curve = of_curve(result.equity, result.initial, per_year, result.position)
    return in_days(result.candles, curve | of_trades(result.trades))


def from_sums(candles: Candles, initial: float, sums: CurveSums, final: float, trades: Closed) -> dict[str, float]:
    """As `measure`, from a curve that was summed already and ended at `final`."""
    curve = from_curve(sums, len(candles), initial, final, candles.timeframe.per_year)
    return in_days(candles, curve | of_trades(trades))


def of_curve(equity: F64, initial: float, per_year: float, position: F64 | None = None) -> dict[str, float]:
    """The figures that an equity of shape (n,) alone gives; `longest_drawdown` in bars.

    `per_year`: bars a year. Without `position` Exposure is nan. Raises BadData.
    """
    n = len(equity)
    if not n:
        raise BadData("no bars: nothing to measure")
    curve = begun(initial)
    summed(curve, fixed(equity), fixed(equity if position is None else position))
    sums = ended(curve) or even(curve, fixed(equity), initial)
    found = from_curve(sums, n, initial, float(equity[-1]), per_year)
    return found if position is not None else found | {"Exposure": math.nan}


def from_curve(sums: CurveSums, bars: int, initial: float, final: float, per_year: float) -> dict[str, float]:
    """The same from what one pass over the curve gives. Raises BadData."""
    if not math.isfinite(sums.mean):
        raise BadData("the equity is not a number somewhere: the sizes are beyond what floats can hold")
    mean, variance, below, lowest, longest, held = sums
    root, cagr = math.sqrt(per_year), _grown(final / initial, per_year / bars)
    return {
        "Sharpe": _over(mean * root, math.sqrt(variance)),
        "Sortino": _over(mean * root, math.sqrt(below / bars)),
        "CAGR": cagr,
        "MDD": lowest - 1.0,
        "Calmar": _over(cagr, 1.0 - lowest),
        "Exposure": held / bars,
        "volatility": math.sqrt(variance * per_year),
        "total_return": final / initial - 1.0,
        "final_equity": final,
        "longest_drawdown": longest,
        "bars": float(bars),
    }


def of_trades(trades: Trades | Closed) -> dict[str, float]:
    """The figures that closed trades give; `holding` in bars."""
    sums = np.empty(8)
    _trades(fixed(trades.pnl), fixed(trades.r), sums)
    bars = float(np.sum(trades.exit_bar - trades.entry_bar))
    costs = (float(np.sum(trades.fees)), float(np.sum(trades.funding)))
    return from_trades(TradeSums._make((len(trades.pnl), *sums.tolist(), bars, *costs)))


def from_trades(sums: TradeSums) -> dict[str, float]:
    """The same from what one pass over the trades gives."""
    n = sums.trades
    return {
        "PF": _over(sums.won, sums.lost),
        "Expectancy": _over(sums.won - sums.lost, n),
        "R": _over(sums.risked, sums.risks),
        "trades": float(n),
        "win_rate": _over(sums.wins, n),
        "average_win": _over(sums.won, sums.wins),
        "average_loss": -_over(sums.lost, sums.losses),
        "best_trade": sums.best,
        "worst_trade": sums.worst,
        "holding": _over(sums.bars, n),
        "fees": sums.fees,
        "funding": sums.funding,
    }


def in_days(candles: Candles, figures: dict[str, float]) -> dict[str, float]:
    """All of DEFINITIONS, in its order, from figures whose times are counted in bars."""
    time, day = candles.time, candles.timeframe.ms / DAY_MS
    days = (int(time[-1]) - int(time[0]) + candles.timeframe.ms) / DAY_MS
    found = figures | {"days": days}
    found["longest_drawdown"] *= day
    found["holding"] *= day
    return {name: found[name] for name in DEFINITIONS}


def shown(measures: Mapping[str, float]) -> dict[str, float | int | None]:
    """As JSON has them: counts are whole, and what is no number (nan, or without end) is null."""
    return {
        name: None if not math.isfinite(value) else int(value) if name in COUNTS else value
        for name, value in measures.items()
    }


def _over(value: float, by: float) -> float:
    """inf over nothing, nan when both are nothing."""
    if by:
        return value / by
    return math.copysign(math.inf, value) if value else math.nan


def _grown(factor: float, times: float) -> float:
    """A few bars, taken for a year, can go beyond all floats."""
    if factor <= 0.0:
        return -1.0
    try:
        return float(factor**times) - 1.0
    except OverflowError:
        return math.inf


@compiled_lean
def _trades(pnl: F64, r: F64, found: F64) -> None:
    """Won, lost (positive), wins, losses, sum of R, trades with an R, best and worst profit (nan without a trade)."""
    won, lost, wins, losses, risked, risks = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    best, worst = np.nan, np.nan
    for i in range(len(pnl)):
        value = pnl[i]
        if value > 0.0:
            won, wins = won + value, wins + 1.0
        elif value < 0.0:
            lost, losses = lost - value, losses + 1.0
        if not np.isnan(r[i]):
            risked, risks = risked + r[i], risks + 1.0
        best = value if i == 0 else max(best, value)
        worst = value if i == 0 else min(worst, value)
    found[:4] = won, lost, wins, losses
    found[4:] = risked, risks, best, worst
