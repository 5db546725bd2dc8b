"""Luck: whether the track record is long enough for its Sharpe, and what other draws of its trades would give."""

from __future__ import annotations

from quant.check.finding import Finding
from quant.check.trial import Trial
from quant.luck import monte_carlo, of_sharpe
from quant.metrics import measure

CHECK = "luck"
SURE = 0.95


def luck(trial: Trial) -> Finding:
    """Of one trial: what a sweep chose is deflated by the sweep. Raises UsageError, StrategyFailed."""
    result = trial.result()
    measures = measure(result)
    numbers = of_sharpe(result) | monte_carlo(result, trial.config.monte_carlo, trial.config.seed)
    sharpe, trades = measures["Sharpe"], int(measures["trades"])
    if not sharpe > 0:
        return Finding(CHECK, trial.strategy.name, False, f"Sharpe {sharpe:.2f}: no luck to explain", {**numbers})
    few = trades < trial.config.sweep.min_trades
    flagged = not numbers["PSR"] >= SURE or few
    words = (
        f"Sharpe {sharpe:.2f} over {measures['days']:,.0f} days is above 0 with {numbers['PSR']:.1%} probability "
        f"({SURE:.0%} needs {numbers['min_days']:,.0f} days); {numbers['mc_loss']:.1%} of "
        f"{trial.config.monte_carlo.runs:,} draws of its {trades:,} trades lose"
    )
    return Finding(CHECK, trial.strategy.name, flagged, words + (": too few trades" if few else ""), {**numbers})
