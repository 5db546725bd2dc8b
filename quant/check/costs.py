"""Fee sensitivity: what is left at other costs, and how much dearer trading may become before nothing is."""

from __future__ import annotations

from quant.check.finding import Finding
from quant.check.trial import Trial
from quant.config.market import Costs

CHECK = "fees"
TIMES = (0.0, 1.0, 2.0, 3.0)
DEAREST = 64.0
ROUNDS = 20
ENOUGH = 2.0
"""An edge that twice the costs take away is within what fees and slippage are guessed wrong by."""
_PARTS = ("taker_fee", "maker_fee", "slippage", "slippage_ticks")


def fees(trial: Trial) -> Finding:
    """Raises UsageError, StrategyFailed."""
    name, given = trial.strategy.name, trial.config.costs
    if not any(getattr(given, part) for part in _PARTS):
        return Finding(CHECK, name, True, "no fee and no slippage is configured: no market is free")
    sharpes = {f"Sharpe_x{times:g}": _at(trial, times)["Sharpe"] for times in TIMES}
    told = ", ".join(f"{sharpes[f'Sharpe_x{times:g}']:.2f} at {times:g}x" for times in TIMES)
    if not _left(trial, 1.0):
        words = "it loses before costs" if not _left(trial, 0.0) else "costs take all it earns"
        return Finding(CHECK, name, False, f"{words}: Sharpe {told}", {**sharpes})
    most = break_even(trial)
    words = f"Sharpe {told}; nothing is left at {most:.1f} times the costs ({_one_fill(given) * most:.4%} a fill)"
    return Finding(CHECK, name, most < ENOUGH, words, {**sharpes, "break_even": most})


def break_even(trial: Trial) -> float:
    """The multiple of the costs at which nothing is earned, by bisection between 1 and DEAREST."""
    low, high = 1.0, DEAREST
    if _left(trial, high):
        return high
    for _ in range(ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if _left(trial, middle) else (low, middle)
    return low


def _left(trial: Trial, times: float) -> bool:
    return _at(trial, times)["total_return"] > 0


def _at(trial: Trial, times: float) -> dict[str, float]:
    given = trial.config.costs
    dearer = {part: (getattr(given, part) or 0.0) * times for part in _PARTS}
    if given.maker_fee is None:
        dearer["maker_fee"] = dearer["taker_fee"]
    return trial.under(trial.config.model_copy(update={"costs": given.model_copy(update=dearer)})).measures()


def _one_fill(given: Costs) -> float:
    """Of the value, at market, without slippage in ticks."""
    return given.taker_fee + given.slippage
