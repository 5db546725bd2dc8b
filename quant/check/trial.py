"""A strategy over candles under a configuration: what every check runs, more than once."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from quant.candles import F64, Candles
from quant.config import Config
from quant.engine import Result, Spec, simulate
from quant.engine.running import asked, direction_of, narrowed, params_of
from quant.engine.simulating import Rates
from quant.errors import StrategyFailed
from quant.indicators import View
from quant.metrics import measure
from quant.strategy import Params, Signals, Strategy
from quant.ticks import tick_of


@dataclass
class Trial:
    """`strategy` need not be one of quant/strategies: tests try leaky ones."""

    strategy: Strategy
    config: Config
    candles: Candles
    funding: Rates | None = None
    view: View = field(init=False)

    def __post_init__(self) -> None:
        self.view = View(self.candles, self.config.instrument.tick_size or tick_of(self.candles))

    @property
    def params(self) -> Params:
        """Raises UsageError."""
        return params_of(self.strategy, self.config)

    def signals(self) -> Signals:
        """Raises UsageError, StrategyFailed."""
        return signals(self.strategy, self.params, self.view)

    def result(self, *, late: int = 0) -> Result:
        """`late`: how many bars later than it should each order comes. Raises UsageError, StrategyFailed."""
        wanted = narrowed(self.signals(), direction_of(self.strategy, self.config))
        spec = Spec.of(self.config, self.candles, self.view.tick_size, self.view)
        funding = self.funding if self.config.costs.funding else None
        return simulate(self.candles, delayed(wanted, late) if late else wanted, spec, funding)

    def measures(self, *, late: int = 0) -> dict[str, float]:
        return measure(self.result(late=late))

    def under(self, config: Config) -> Trial:
        """The same under another configuration; what was worked out from the candles stays."""
        other = replace(self, config=config)
        other.view = self.view
        return other


def signals(strategy: Strategy, params: Params, view: View) -> Signals:
    """Raises StrategyFailed, saying on how many bars and in which line."""
    try:
        return asked(strategy, params, view)
    except StrategyFailed as error:
        place = _place(error.__cause__)
        told = f"{error.message} ({len(view.candles):,} bars{place})"
        raise StrategyFailed(told, hint=error.hint) from error


def _place(error: BaseException | None) -> str:
    if error is None:
        return ""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f", {Path(last.filename).name} line {last.lineno}"


def delayed(signals: Signals, bars: int) -> Signals:
    """Each value comes `bars` later; before the first nothing is wanted."""
    side = np.concatenate((np.zeros(bars, np.int8), signals.side[:-bars]))
    return Signals(side, _late(signals.stop, bars), _late(signals.target, bars))


def _late(values: F64 | None, bars: int) -> F64 | None:
    return None if values is None else np.concatenate((np.full(bars, np.nan), values[:-bars]))
