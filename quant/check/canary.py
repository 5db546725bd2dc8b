"""The leak canary: on driftless random walks without costs, a Sharpe that is not 0 comes from the future or a bug."""

from __future__ import annotations

import math

import numpy as np

from quant.check.finding import Finding, Numbers
from quant.check.trial import Trial
from quant.check.walks import Walks
from quant.config import Config
from quant.config.market import Costs, Instrument
from quant.config.trading import Sizing
from quant.errors import StrategyFailed
from quant.strategy import Strategy

CHECK = "canary"
LIMIT = 5.0
"""Standard errors of the mean Sharpe. Without an edge one walk's Sharpe has the standard error 1 / sqrt(years) (Lo,
"The Statistics of Sharpe Ratios", 2002): 5 of them come by chance once in two million times."""


def canary(strategy: Strategy, config: Config, walks: Walks) -> Finding:
    """`config`: its parameters and ways out; costs, instrument and sizes are those of nothing in particular."""
    plain = config.model_copy(update=PLAIN)
    try:
        found = [Trial(strategy, plain, candles).measures() for candles in walks]
    except StrategyFailed as error:
        return Finding(CHECK, strategy.name, True, str(error))
    return _judged(strategy.name, [one["Sharpe"] for one in found], sum(one["trades"] for one in found), walks)


PLAIN = {
    "costs": Costs(taker_fee=0.0, funding=False),
    "instrument": Instrument(),
    "sizing": Sizing(fraction=0.1),
}
"""No costs, no steps; stakes so small that who knows the future does not outgrow all numbers within the year."""


def _judged(name: str, sharpes: list[float], trades: float, walks: Walks) -> Finding:
    known = np.array([one for one in sharpes if not math.isnan(one)])
    numbers: Numbers = {"seeds": walks.count, "bars": walks.bars, "trades": int(trades)}
    if not len(known):
        return Finding(CHECK, name, False, f"it never traded on {walks.count} random walks", numbers)
    mean = float(known.mean())
    errors = mean * math.sqrt(walks.years * len(known))
    numbers |= {"Sharpe": mean, "least": float(known.min()), "most": float(known.max()), "standard_errors": errors}
    flagged = abs(errors) > LIMIT
    verdict = "it knows what it cannot know" if flagged else "as without an edge"
    words = (
        f"Sharpe {mean:+.2f} on {len(known)} driftless random walks ({known.min():+.1f} to {known.max():+.1f}), "
        f"{errors:+.1f} standard errors from 0: {verdict}"
    )
    return Finding(CHECK, name, flagged, words, numbers)
