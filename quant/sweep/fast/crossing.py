"""Which combinations the fast kernel models exactly, and their rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quant import strategies
from quant.candles import F64, I64, Candles
from quant.config import Config
from quant.engine import Spec
from quant.engine.running import direction_of
from quant.engine.spec import RULES
from quant.indicators import View
from quant.strategy import Direction
from quant.sweep.fast.kernel import BLOCK, Buffers, Series, crosses
from quant.sweep.fast.loops import LANES
from quant.sweep.fast.position import FOUND, STATE

EXACT = 2**53
"""Whole numbers below it are exact in float64, their sums and products too."""
STRATEGY = "ma_cross"
PAIR = ("fast", "slow")
ALLOWED: Mapping[Direction, tuple[int, int, int]] = {"both": (-1, 1, 0), "long": (0, 1, 0), "short": (-1, 0, 0)}
"""Sides for: the fast average below, above, neither known."""


def models(config: Config, funded: bool) -> bool:
    """Whether the kernel simulates this exactly: crosses without stops, targets, funding, or sizes that follow the
    market."""
    exits = config.exits.model_dump(exclude={"atr"})
    return (
        config.strategy.name == STRATEGY
        and config.sizing.mode in ("fraction", "quantity")
        and all(value is None for value in exits.values())
        and not (funded and config.costs.funding)
    )


class Crossings:
    """One series laid out for the kernel; threads may share it."""

    def __init__(self, candles: Candles, view: View) -> None:
        self._candles, self._tick = candles, view.tick_size
        self._sums = view.sums()
        self._floats = self._sums.astype(np.float64)
        self._largest = int(np.diff(self._sums).max(initial=0))
        bars = range(0, len(candles), BLOCK)
        self._highest = np.array([candles.high[begin : begin + BLOCK].max() for begin in bars])
        self._lowest = np.array([candles.low[begin : begin + BLOCK].min() for begin in bars])

    def found(self, config: Config, pairs: I64) -> NDArray[Any]:
        """A row of FOUND for each (fast, slow) of `pairs`, shape (m, 2)."""
        spec = Spec.of(config, self._candles, self._tick)
        found = np.zeros(len(pairs), FOUND)
        allowed = np.array(ALLOWED[direction_of(strategies.get(STRATEGY), config)])
        series = self._series(spec.rules.inverse, int(pairs.max(initial=1)))
        rules, state = np.array([spec.rules], RULES), np.zeros(1, STATE)
        crosses(series, rules, spec.initial, allowed, pairs, _buffers(), state, found)
        return found

    def _series(self, inverse: bool, slowest: int) -> Series:
        c = self._candles
        worth = read_only(-1.0 / c.close) if inverse else c.close
        exact = self._largest * slowest**2 < EXACT and int(self._sums[-1]) < EXACT
        sums = self._floats if exact else self._sums
        return Series(sums, worth, c.open, c.high, c.low, c.close, self._highest, self._lowest)


def _buffers() -> Buffers:
    above = np.zeros(BLOCK, np.uint8)
    return Buffers(above, above.view(np.uint64), np.zeros(BLOCK + 1), *np.zeros((4, LANES)))


def read_only(array: F64) -> F64:
    """An array that may be written to is another type to the compiler, and another compilation."""
    array.flags.writeable = False
    return array
