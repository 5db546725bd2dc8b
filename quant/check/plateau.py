"""Parameter plateau: whether the chosen parameters' neighbours do about as well, or the choice is a lonely peak."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quant.candles import F64
from quant.check.finding import Finding, Numbers
from quant.check.trial import Trial
from quant.config.study import Range
from quant.strategy import Params, Value
from quant.sweep.overrides import Override, applied, refusal

CHECK = "plateau"
STEP = 0.2
"""Of the value, where it stands in no list of values to try."""
KEPT = 0.5
"""Of the choice's objective, by the median neighbour."""
_WAYS_OUT = (
    "exits.stop_atr", "exits.stop_pct", "exits.target_atr", "exits.target_pct", "exits.target_r", "exits.trailing_atr",
    "exits.trailing_pct",
)  # fmt: skip


def plateau(trial: Trial) -> Finding:
    """Raises UsageError, StrategyFailed."""
    name, objective = trial.strategy.name, trial.config.sweep.objective
    chosen = trial.measures()[objective]
    if not chosen > 0:
        return Finding(CHECK, name, False, f"{objective} {chosen:.2f}: there is no peak", {objective: chosen})
    near = list(neighbours(trial))
    if not near:
        return Finding(CHECK, name, False, "it has no parameter that could be another", {objective: chosen})
    found = [trial.under(applied(trial.config, one)).measures()[objective] for one in near]
    return _judged(trial, chosen, near, np.nan_to_num(np.array(found), nan=0.0))


def _judged(trial: Trial, chosen: float, near: list[Override], found: F64) -> Finding:
    objective, median, worst = trial.config.sweep.objective, float(np.median(found)), float(found.min())
    told = ", ".join(f"{name} {value}" for name, value in near[int(found.argmin())].items())
    flagged = median < KEPT * chosen
    words = (
        f"{objective} {chosen:.2f}; its {len(found)} neighbours' median {median:.2f}, the worst {worst:.2f} ({told}): "
        f"{'a lonely peak' if flagged else 'a plateau'}"
    )
    numbers: Numbers = {objective: chosen, "neighbours": len(found), "median": median, "worst": worst, "at_worst": told}
    return Finding(CHECK, trial.strategy.name, flagged, words, numbers)


def neighbours(trial: Trial) -> Iterator[Override]:
    """One parameter, or one of the configured ways out, a step up or down, all others as chosen; none that is
    refused."""
    every = [*_of_parameters(trial, trial.params), *_of_exits(trial)]
    return (one for one in every if refusal(trial.config, one) is None)


def _of_parameters(trial: Trial, params: Params) -> Iterator[Override]:
    """Beside it in `sweep.space`, else in the strategy's own space; beyond their ends, 20 % away."""
    for one in trial.strategy.parameters:
        space = _tried(trial, one.name)
        for value in beside(params[one.name], space if params[one.name] in space else one.space):
            if one.least is None or float(value) >= one.least:
                yield {one.name: value}


def _of_exits(trial: Trial) -> Iterator[Override]:
    for path in _WAYS_OUT:
        value = getattr(trial.config.exits, path.removeprefix("exits."))
        if value is not None:
            space = _tried(trial, path)
            yield from ({path: other} for other in beside(value, space if value in space else ()))


def _tried(trial: Trial, name: str) -> tuple[Value, ...]:
    """By `sweep.space`."""
    given = trial.config.sweep.space.get(name, [])
    return given.values() if isinstance(given, Range) else tuple(given)


def beside(value: Value, space: tuple[Value, ...]) -> list[Value]:
    """The next below and the next above. A number that has none on a side there: a step away."""
    if isinstance(value, bool | str):
        if value not in space:
            return []
        place = space.index(value)
        return [space[other] for other in (place - 1, place + 1) if 0 <= other < len(space)]
    numbers = sorted(float(one) for one in space if not isinstance(one, bool | str))
    below = max((one for one in numbers if one < value), default=value * (1 - STEP))
    above = min((one for one in numbers if one > value), default=value * (1 + STEP))
    if isinstance(value, int):
        return [min(round(below), value - 1), max(round(above), value + 1)]
    return [below, above]
