"""Which combinations a sweep tries: a space of axes, and its points in a fixed order."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quant import strategies
from quant.config import Config
from quant.config.study import Range
from quant.errors import UsageError
from quant.metrics.definitions import DEFINITIONS
from quant.strategy import Strategy, Value
from quant.sweep.overrides import SECTIONS, applied, refusal


@dataclass(frozen=True)
class Space:
    """Axes by name. Points are numbered from 0 to `size` - 1; the last axis changes from one to the next."""

    axes: dict[str, tuple[Value, ...]]

    @classmethod
    def of(cls, config: Config) -> Space:
        """What `sweep.space` says, or the strategy's own. Raises UsageError with every problem, one a line."""
        strategy = strategies.get(config.strategy.name)
        given = {name: _values(axis) for name, axis in config.sweep.space.items()}
        axes = given or {one.name: one.space for one in strategy.parameters}
        problems = [line for name, values in axes.items() for line in _problems(config, strategy, name, values)]
        problems += _unknown(config.sweep.objective)
        if problems:
            raise UsageError("\n".join(problems), hint="docs/sweeps.md says what a space may hold")
        return cls(axes)

    @property
    def size(self) -> int:
        return math.prod(len(values) for values in self.axes.values())

    def at(self, number: int) -> dict[str, Value]:
        found = {}
        for name, values in reversed(self.axes.items()):
            number, index = divmod(number, len(values))
            found[name] = values[index]
        return dict(reversed(found.items()))


@dataclass(frozen=True)
class Chosen:
    """`overrides` to try, in order; `refused` points were left out because their values cannot go together."""

    overrides: list[dict[str, Value]]
    refused: int


def grid(config: Config, space: Space) -> Chosen:
    """Every point that is not refused. Raises UsageError when none is left."""
    return _kept(config, (space.at(number) for number in range(space.size)), space.size)


def drawn(config: Config, space: Space) -> Chosen:
    """`sweep.trials` different points by chance, the same for the same `seed`; all of them when there are fewer."""
    numbers = shuffled(space.size, config.seed)
    return _kept(config, (space.at(number) for number in numbers), config.sweep.trials)


def shuffled(size: int, seed: int) -> Iterator[int]:
    """0 to `size` - 1 in a random order, each when it is asked for: Fisher and Yates on an array that is not there."""
    random, moved = np.random.default_rng(seed), dict[int, int]()
    for index in range(size):
        other = int(random.integers(index, size))
        yield moved.get(other, other)
        moved[other] = moved.pop(index, index)


def _kept(config: Config, points: Iterator[dict[str, Value]], wanted: int) -> Chosen:
    kept, refused, why = list[dict[str, Value]](), 0, ""
    for point in points:
        said = refusal(config, point)
        if said is None:
            kept.append(point)
        else:
            refused, why = refused + 1, said
        if len(kept) == wanted:
            break
    if not kept:
        raise UsageError(f"all {refused} combinations are refused, the last because {why}", hint="widen sweep.space")
    return Chosen(kept, refused)


def _values(axis: list[Value] | Range) -> tuple[Value, ...]:
    """Each once, in the order given."""
    return axis.values() if isinstance(axis, Range) else tuple(dict.fromkeys(axis))


def _unknown(objective: str) -> list[str]:
    if objective in DEFINITIONS:
        return []
    near = difflib.get_close_matches(objective, DEFINITIONS, 1)
    return [f"sweep.objective: no measure is called {objective}; did you mean {near[0] if near else 'Sharpe'}?"]


def _problems(config: Config, strategy: Strategy, name: str, values: tuple[Value, ...]) -> Iterator[str]:
    if "." in name:
        yield from _setting_problems(config, name, values)
        return
    known = {one.name: one for one in strategy.parameters}
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        meant = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known)}"
        yield f"sweep.space.{name}: {strategy.name} has no such parameter{meant}"
        return
    least = known[name].least
    if least is not None and (low := [value for value in values if _number(value) < least]):
        yield f"sweep.space.{name}: {low[0]} is below {least:g}"


def _setting_problems(config: Config, path: str, values: tuple[Value, ...]) -> Iterator[str]:
    if path.split(".")[0] not in SECTIONS:
        yield f"sweep.space.{path}: cannot differ within a sweep; settings of {', '.join(SECTIONS)} can"
        return
    try:
        for value in values:
            applied(config, {path: value})
    except (UsageError, KeyError, TypeError) as error:
        yield error.message if isinstance(error, UsageError) else f"sweep.space.{path}: there is no such setting"


def _number(value: Value) -> float:
    return math.inf if isinstance(value, str) else float(value)
