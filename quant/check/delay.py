"""One bar's delay: an edge that is gone when orders come one bar later was hardly there."""

from __future__ import annotations

from quant.check.finding import Finding, Numbers
from quant.check.trial import Trial

CHECK = "delay"
KEPT = 0.5
"""Of the Sharpe."""


def delay(trial: Trial) -> Finding:
    """Raises UsageError, StrategyFailed."""
    now, late = (trial.measures(late=bars)["Sharpe"] for bars in (0, 1))
    numbers: Numbers = {"Sharpe": now, "Sharpe_late": late}
    if not now > 0:
        return Finding(CHECK, trial.strategy.name, False, f"Sharpe {now:.2f}: there is no edge to lose", numbers)
    flagged = not late >= KEPT * now
    verdict = "it lives on one bar" if flagged else "it can wait"
    words = f"Sharpe {now:.2f}, {late:.2f} when each order comes a bar later: {verdict}"
    return Finding(CHECK, trial.strategy.name, flagged, words, numbers)
