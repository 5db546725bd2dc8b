"""Which combinations the fast kernel models exactly, and their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant import strategies
from quant.candles import F64, I64, Candles
from quant.config import Config
from quant.engine import Spec
from quant.engine.running import direction_of, params_of
from quant.engine.spec import RULES
from quant.indicators import View
from quant.metrics import CurveSums, TradeSums, from_curve, from_trades, in_days
from quant.strategy import Direction, Value
from quant.sweep.fast.kernel import BLOCK, TILE, Buffers, Series, crosses
from quant.sweep.fast.loops import LANES
from quant.sweep.fast.position import FOUND, STATE
from quant.sweep.overrides import Override, applied

EXACT = 2**53
"""Whole numbers below it are exact in float64, their sums and products too."""
STRATEGY = "ma_cross"
PAIR = ("fast", "slow")
ALLOWED: Mapping[Direction, tuple[int, int, int]] = {"both": (-1, 1, 0), "long": (0, 1, 0), "short": (-1, 0, 0)}
"""Sides for: the fast average below, above, neither known."""


def rows(
    config: Config, funded: bool, overrides: Sequence[Override], crossings: Callable[[Config], Crossings]
) -> dict[int, dict[str, float]]:
    """Measures by place in `overrides`, of those that are modelled exactly; `crossings` has the candles laid out.

    Raises UsageError for parameters that cannot be.
    """
    found = dict[int, dict[str, float]]()
    for settings, places in _groups(overrides).items():
        chosen = applied(config, dict(settings))
        if models(chosen, funded):
            found |= dict(crossings(chosen).measured(chosen, {place: overrides[place] for place in places}))
    return found


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


def _groups(overrides: Sequence[Override]) -> dict[tuple[tuple[str, Value], ...], list[int]]:
    """Places of those that differ by their pair alone."""
    found = dict[tuple[tuple[str, Value], ...], list[int]]()
    for place, override in enumerate(overrides):
        settings = tuple((name, value) for name, value in override.items() if name not in PAIR)
        found.setdefault(settings, []).append(place)
    return found


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

    def measured(self, config: Config, overrides: Mapping[int, Override]) -> Iterator[tuple[int, dict[str, float]]]:
        """By the same keys; those that the kernel leaves to the engine are not there."""
        strategy = strategies.get(STRATEGY)
        params = {key: params_of(strategy, applied(config, override)) for key, override in overrides.items()}
        pairs = {key: [int(one[name]) for name in PAIR] for key, one in params.items()}
        longest = len(self._candles) - 2  # with fewer bars than that the engine refuses, and says why
        pairs = {key: pair for key, pair in pairs.items() if pair[1] <= longest}
        found = self.found(config, np.array([*pairs.values()], np.int64).reshape(-1, 2))
        for key, row in zip(pairs, found, strict=True):
            if not row["left"]:
                yield key, measured(self._candles, config.account.equity, row)

    def found(self, config: Config, pairs: I64) -> NDArray[Any]:
        """A row of FOUND for each (fast, slow) of `pairs`, shape (m, 2)."""
        spec = Spec.of(config, self._candles, self._tick)
        found = np.zeros(len(pairs), FOUND)
        allowed = np.array(ALLOWED[direction_of(strategies.get(STRATEGY), config)])
        series = self._series(spec.rules.inverse, int(pairs.max(initial=1)))
        rules, state = np.array([spec.rules], RULES), np.zeros(TILE, STATE)
        crosses(series, rules, spec.initial, allowed, pairs, _buffers(), state, found)
        return found

    def _series(self, inverse: bool, slowest: int) -> Series:
        c = self._candles
        worth = read_only(-1.0 / c.close) if inverse else c.close
        exact = self._largest * slowest**2 < EXACT and int(self._sums[-1]) < EXACT
        sums = self._floats if exact else self._sums
        return Series(sums, worth, c.open, c.high, c.low, c.close, self._highest, self._lowest)


def measured(candles: Candles, initial: float, row: Any) -> dict[str, float]:
    """quant.metrics' figures of a row of FOUND."""
    one = {name: row[name].item() for name in row.dtype.names}
    curve = CurveSums(*(one[name] for name in CurveSums._fields))
    trades = TradeSums(**{name: one.get(name, 0.0) for name in TradeSums._fields})
    figures = from_curve(curve, len(candles), initial, one["final"], candles.timeframe.per_year)
    return in_days(candles, figures | from_trades(trades))


def _buffers() -> Buffers:
    above = np.zeros(BLOCK, np.uint8)
    return Buffers(above, above.view(np.uint64), np.zeros(BLOCK + 1), np.zeros((TILE, 5, LANES)))


def read_only(array: F64) -> F64:
    """An array that may be written to is another type to the compiler, and another compilation."""
    array.flags.writeable = False
    return array
