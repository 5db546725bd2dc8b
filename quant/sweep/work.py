"""Working out combinations: pure, importable and picklable, so that processes and a cluster run the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quant.candles import Candles
from quant.config import Config
from quant.engine import Scratch, run
from quant.engine.simulating import Rates
from quant.indicators import View
from quant.metrics import measure
from quant.strategy import Value
from quant.sweep.overrides import Override, applied
from quant.ticks import tick_of

Row = dict[str, Value]
"""The combination's own values, then its measures (`quant.metrics`), by name; nan is a float like any other."""


@dataclass(frozen=True)
class Study:
    """What stays the same from one combination to the next."""

    config: Config
    candles: Candles
    funding: Rates | None = None


def evaluate(config: Config, candles: Candles, funding: Rates | None, overrides: Sequence[Override]) -> list[Row]:
    """One row for each of `overrides`, in their order; the same bits wherever it runs.

    Raises UsageError or StrategyFailed for a combination that cannot be: refused ones are left out before.
    """
    view, scratch = View(candles, config.instrument.tick_size or tick_of(candles)), Scratch(len(candles))
    return [
        {**override, **measure(run(applied(config, override), candles, funding, view, scratch))}
        for override in overrides
    ]
