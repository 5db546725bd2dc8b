"""Optuna's TPE, seeded: what it asks for next depends on what came out before, never on how many processes there are.

It asks for a batch, all of it is worked out, all is told in the order asked: hence the same questions on one core, on
many, and after a kill, when the finished ones are told again instead of being worked out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from quant.config import Config
from quant.strategy import Value
from quant.sweep.combinations import Space
from quant.sweep.kept import Kept
from quant.sweep.overrides import refusal
from quant.sweep.progress import Progress
from quant.sweep.trying import finish
from quant.sweep.where import Job, Where
from quant.sweep.work import Row

BATCH = 16
"""Trials asked at a time: more would use more cores, and learn later."""
Key = tuple[Value, ...]


def searched(config: Config, space: Space, place: Where, kept: Kept, progress: Progress) -> tuple[list[Row], int]:
    """`sweep.trials` questions: a row for each different combination that came, in order, and how many were refused.

    A question that was asked before is answered from memory, one that is refused counts as the worst there is.
    """
    search = _Search(config, space)
    while search.left():
        asked = search.ask()
        jobs = search.jobs()
        progress.skip(asked - sum(job.number not in kept.rows for job in jobs))
        finish(jobs, place, kept, progress)
        search.tell([kept.rows[job.number][0] for job in jobs])
    return list(search.rows.values()), search.refused


class _Search:
    def __init__(self, config: Config, space: Space) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=config.seed)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._pruned = optuna.trial.TrialState.PRUNED
        self._config, self._space = config, space
        self._asked: list[tuple[Any, Key]] = []
        self._number = 0
        self.rows: dict[Key, Row] = {}
        self.refused = 0

    def left(self) -> int:
        return self._config.sweep.trials - len(self._study.trials)

    def ask(self) -> int:
        trials = [self._study.ask() for _ in range(min(BATCH, self.left()))]
        self._asked = [(trial, self._point(trial)) for trial in trials]
        return len(trials)

    def _point(self, trial: Any) -> Key:
        return tuple(_suggested(trial, name, values) for name, values in self._space.axes.items())

    def jobs(self) -> list[Job]:
        """One for each combination that is new and can be."""
        fresh = dict.fromkeys(key for _, key in self._asked if key not in self.rows)
        points = [dict(zip(self._space.axes, key, strict=True)) for key in fresh]
        allowed = [point for point in points if refusal(self._config, point) is None]
        self.refused += len(points) - len(allowed)
        jobs = [Job(self._number + index, (point,)) for index, point in enumerate(allowed)]
        self._number += len(jobs)
        return jobs

    def tell(self, found: list[Row]) -> None:
        for row in found:
            self.rows[tuple(row[name] for name in self._space.axes)] = row
        for trial, key in self._asked:
            value = float(self.rows[key][self._config.sweep.objective]) if key in self.rows else math.nan
            if math.isnan(value):
                self._study.tell(trial, state=self._pruned)
            else:
                self._study.tell(trial, value)


def _suggested(trial: Any, name: str, values: Sequence[Value]) -> Value:
    """Numbers are asked for by their place, so that the search knows which are near each other."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(values) > 1 and len(numbers) == len(values):
        place: int = trial.suggest_int(name, 0, len(numbers) - 1)
        return sorted(numbers)[place]
    chosen: Value = trial.suggest_categorical(name, list(values))
    return chosen
