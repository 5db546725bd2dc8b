"""The choice on one window: a sweep of its training bars, and the best of it."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quant.candles import Candles
from quant.config import Config
from quant.engine import run
from quant.engine.simulating import Rates
from quant.luck import of_sharpe
from quant.strategy import Value
from quant.sweep import combinations
from quant.sweep.combinations import Space
from quant.sweep.overrides import applied
from quant.sweep.progress import Progress
from quant.sweep.work import Row, Study, evaluate


@dataclass(frozen=True)
class Choice:
    """`override`: the best combination of `trials`; `objective`: what it showed in training; `deflated`: the
    probability that its Sharpe there is more than the best of so many without an edge; `enough`: it had
    `sweep.min_trades`."""

    override: dict[str, Value]
    objective: float
    deflated: float
    trials: int
    enough: bool


class Chooser:
    """The same question for each window. Raises UsageError for a space or an objective that cannot be."""

    def __init__(self, config: Config) -> None:
        self._config, self._space = config, Space.of(config)

    def choose(self, candles: Candles, funding: Rates | None) -> Choice:
        """On these bars alone. Raises what a run of them raises: UsageError, BadData, StrategyFailed."""
        rows = self._rows(candles, funding)
        enough = [row for row in rows if float(row["trades"]) >= self._config.sweep.min_trades]
        best = max(enough or rows, key=self._objective)
        override = {name: best[name] for name in self._space.axes}
        deflated = self._deflated(override, rows, candles, funding)
        return Choice(override, float(best[self._config.sweep.objective]), deflated, len(rows), bool(enough))

    def _rows(self, candles: Candles, funding: Rates | None) -> list[Row]:
        config, space = self._config, self._space
        if config.sweep.method == "optuna":
            return _searched(Study(config, candles, funding), space)
        chosen = (
            combinations.grid(config, space) if config.sweep.method == "grid" else combinations.drawn(config, space)
        )
        return evaluate(config, candles, funding, chosen.overrides)

    def _objective(self, row: Row) -> float:
        """Of equals the first that was tried is chosen; what is no number comes last."""
        value = float(row[self._config.sweep.objective])
        return -math.inf if math.isnan(value) else value

    def _deflated(
        self, override: dict[str, Value], rows: Sequence[Row], candles: Candles, funding: Rates | None
    ) -> float:
        sharpes = np.array([float(row["Sharpe"]) for row in rows])
        sharpes = sharpes[np.isfinite(sharpes)]
        variance = float(sharpes.var(ddof=1)) if len(sharpes) > 1 else 0.0
        result = run(applied(self._config, override), candles, funding)
        return of_sharpe(result, len(rows), variance)["DSR"]


def _searched(study: Study, space: Space) -> list[Row]:
    """Optuna's way; what it finishes is kept for this window only."""
    from quant.sweep.kept import Kept
    from quant.sweep.searching import searched
    from quant.sweep.where import here

    quiet = _Quiet(study.config.sweep.trials, len(study.candles))
    with tempfile.TemporaryDirectory() as folder, Kept(Path(folder)) as kept, here(study) as place:
        return searched(study.config, space, place, kept, quiet)[0]


class _Quiet(Progress):
    """A walk tells of its windows, not of the combinations in them."""

    def _write(self, text: str, end: str) -> None:
        pass
