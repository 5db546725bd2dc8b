"""Working out combinations: pure, importable and picklable, so that processes and a cluster run the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quant.candles import Candles
from quant.config import Config
from quant.engine.simulating import Rates
from quant.indicators import View
from quant.strategy import Value
from quant.sweep import tiles
from quant.sweep.fast import crossing
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

    Raises UsageError, BadData or StrategyFailed for a combination that cannot be: refused ones are left out before.
    """
    shared = Shared.of(candles)
    found = crossing.rows(config, funding is not None, overrides, shared.crossings)
    left = [place for place in range(len(overrides)) if place not in found]
    chosen = [applied(config, overrides[place]) for place in left]
    measured = tiles.measured([(one, shared.view_of(one)) for one in chosen], funding)
    found |= dict(zip(left, measured, strict=True))
    return [{**override, **found[place]} for place, override in enumerate(overrides)]


class Shared:
    """What all combinations over the same candles share, whatever else differs. The last one is kept: jobs come one
    after the other, in several threads or each process by itself."""

    _last: Shared | None = None

    def __init__(self, candles: Candles) -> None:
        self.candles = candles
        self._tick = tick_of(candles)
        self._crossings = dict[float, crossing.Crossings]()
        self._views = dict[float, View]()

    @classmethod
    def of(cls, candles: Candles) -> Shared:
        last = cls._last
        if last is None or last.candles is not candles:
            cls._last = last = cls(candles)
        return last

    def tick_of(self, config: Config) -> float:
        return config.instrument.tick_size or self._tick

    def view_of(self, config: Config) -> View:
        """What was worked out for one combination is there for the next."""
        tick = self.tick_of(config)
        if tick not in self._views:
            self._views = {tick: View(self.candles, tick)}
        return self._views[tick]

    def crossings(self, config: Config) -> crossing.Crossings:
        tick = self.tick_of(config)
        if tick not in self._crossings:
            self._crossings = {tick: crossing.Crossings(self.candles, View(self.candles, tick))}
        return self._crossings[tick]
