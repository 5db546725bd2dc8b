"""How much of a result may be luck: a Sharpe's own uncertainty, the best of many trials, other orders of the trades.

Sources: Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier" (2012), for the probabilistic Sharpe ratio and
the length a track record must have; the same, "The Deflated Sharpe Ratio" (2014), for the best of N trials.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quant.candles import F64
from quant.engine.result import Result
from quant.quantiles import quantile

if TYPE_CHECKING:
    from quant.config.study import MonteCarlo

NORMAL = NormalDist()
EULER = 0.5772156649015329
AT_A_TIME = 4_000_000
"""Trades drawn at a time: 32 MB."""
QUANTILES = {"p05": 0.05, "p50": 0.50, "p95": 0.95}
DEFINITIONS = {
    "PSR": "Probability that the true Sharpe is above 0, given the returns' number, skewness and kurtosis.",
    "DSR": "The same against the best Sharpe that so many trials without any edge would be expected to show.",
    "trials": "Combinations tried before this one was chosen.",
    "luck_sharpe": "That best Sharpe of so many trials without an edge, of a year.",
    "min_days": "Days after which a Sharpe like this would be above 0 with 95 % probability.",
    "mc_loss": "Share of the Monte Carlo runs that end with a loss.",
}
"""Return quantiles `mc_return_p05` and drawdowns `mc_mdd_p05` (worst 5 %) are told by their names."""


@dataclass(frozen=True)
class Moments:
    """Of the returns of all bars: `sharpe` for one bar, not a year; `kurtosis` is 3 for a normal distribution."""

    count: int
    sharpe: float
    skewness: float
    kurtosis: float

    @classmethod
    def of(cls, returns: F64) -> Moments:
        """nan where there are fewer than two returns, or they never change."""
        spread = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
        if not spread > 0:
            return cls(len(returns), math.nan, math.nan, math.nan)
        mean = float(returns.mean())
        away = (returns - mean) / returns.std()
        return cls(len(returns), mean / spread, float((away**3).mean()), float((away**4).mean()))

    @property
    def deviation(self) -> float:
        """Standard deviation of the Sharpe's estimate times sqrt(count - 1); 1 for normal returns without an edge."""
        return math.sqrt(1 - self.skewness * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2)


def returns_of(equity: F64, initial: float) -> F64:
    """r_t = E_t / E_(t-1) - 1 with E_(-1) the initial equity, shape (n,); 0 once nothing is left."""
    before = np.concatenate(([initial], equity[:-1]))
    return np.divide(equity, before, out=np.ones(len(equity)), where=before > 0) - 1


def probabilistic_sharpe(moments: Moments, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe is above `benchmark` (of one bar). nan without returns."""
    if math.isnan(moments.sharpe) or moments.count < 2:
        return math.nan
    return NORMAL.cdf((moments.sharpe - benchmark) * math.sqrt(moments.count - 1) / moments.deviation)


def least_bars(moments: Moments, probability: float = 0.95) -> float:
    """Bars after which a Sharpe like this is above 0 with that probability; inf when it is not above 0 at all."""
    if not moments.sharpe > 0:
        return math.inf
    return 1 + (moments.deviation * NORMAL.inv_cdf(probability) / moments.sharpe) ** 2


def expected_best(trials: int, variance: float) -> float:
    """Expected highest Sharpe of `trials` that have no edge, where trials' Sharpes have this variance; of the same
    period as the variance's. 0 for one trial: nothing was chosen."""
    if trials < 2 or not variance > 0:
        return 0.0
    most, next_most = NORMAL.inv_cdf(1 - 1 / trials), NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - EULER) * most + EULER * next_most)


def deflated_sharpe(moments: Moments, trials: int, variance: float) -> float:
    """Probability that the true Sharpe is above what luck alone explains. `variance`: of the trials' Sharpes, of one
    bar; a year's is that times the bars in a year."""
    return probabilistic_sharpe(moments, expected_best(trials, variance))


def of_sharpe(result: Result, trials: int = 1, sharpe_variance: float | None = None) -> dict[str, float]:
    """PSR, DSR, trials, luck_sharpe, min_days, as DEFINITIONS has them.

    `sharpe_variance`: of the trials' Sharpes, of a year, as a sweep's metrics.json has it. None while there were
    several trials: what the Sharpes of trials without an edge vary by over so many bars, the year over the years.
    """
    per_year = result.candles.timeframe.per_year
    moments = Moments.of(returns_of(result.equity, result.initial))
    variance = per_year / max(1, moments.count) if sharpe_variance is None else sharpe_variance
    return {
        "PSR": probabilistic_sharpe(moments),
        "DSR": deflated_sharpe(moments, trials, variance / per_year),
        "trials": trials,
        "luck_sharpe": expected_best(trials, variance),
        "min_days": least_bars(moments) / per_year * 365,
    }


def trade_returns(result: Result) -> F64:
    """Each trade's profit over the equity that there was before it, shape (m,): their product is the final equity."""
    before = result.initial + np.concatenate(([0.0], np.cumsum(result.trades.pnl)))[:-1]
    return np.divide(result.trades.pnl, before, out=np.zeros(len(before)), where=before > 0)


def monte_carlo(result: Result, how: MonteCarlo, seed: int) -> dict[str, float]:
    """What other orders of the same trades would have given, compounded; the same for the same seed.

    `shuffle`: each trade once, so the end is the same and only the way there differs. `bootstrap`: as many draws with
    replacement. `mc_mdd` is over the equity after each trade, so shallower than a bar's. nan without trades.
    """
    returns = trade_returns(result)
    if not len(returns):
        names = [f"mc_{kind}_{q}" for kind in ("return", "mdd") for q in QUANTILES]
        return dict.fromkeys(["mc_loss", *names], math.nan)
    parts = [_paths(drawn) for drawn in _draws(returns, how.runs, how.method, seed)]
    ends, depths = (np.concatenate(column) for column in zip(*parts, strict=True))
    ends.sort()
    depths.sort()
    told = {f"mc_return_{name}": quantile(ends, q) for name, q in QUANTILES.items()}
    told |= {f"mc_mdd_{name}": quantile(depths, q) for name, q in QUANTILES.items()}
    return {"mc_loss": float(np.mean(ends < 0)), **told}


def _draws(returns: F64, runs: int, method: str, seed: int) -> Iterator[F64]:
    """Rows of as many trades as there were."""
    random, size = np.random.default_rng(seed), max(1, AT_A_TIME // len(returns))
    for begin in range(0, runs, size):
        shape = (min(size, runs - begin), len(returns))
        if method == "shuffle":
            yield random.permuted(np.broadcast_to(returns, shape), axis=1)
        else:
            yield returns[random.integers(0, len(returns), shape)]


def _paths(drawn: F64) -> tuple[F64, F64]:
    """Total return and deepest drawdown of each row."""
    equity = np.cumprod(1 + np.maximum(drawn, -1), axis=1)
    peaks: NDArray[np.float64] = np.maximum(np.maximum.accumulate(equity, axis=1), 1)
    return equity[:, -1] - 1, (equity / peaks).min(axis=1) - 1


def definitions() -> Mapping[str, str]:
    """Of every figure here by its name."""
    quantiles = {"p05": "in 5 % of the runs it is lower", "p50": "the median run", "p95": "in 5 % it is higher"}
    told = {f"mc_return_{q}": f"Total return of the Monte Carlo runs: {words}." for q, words in quantiles.items()}
    told |= {
        f"mc_mdd_{q}": f"Drawdown after trades of the Monte Carlo runs: {words}." for q, words in quantiles.items()
    }
    return DEFINITIONS | told
