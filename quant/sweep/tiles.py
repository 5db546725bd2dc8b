"""The engine over several combinations at once: all of them through a block of bars before any goes on to the next.

A block's candles, and what a combination writes about it, then stay in the processor's caches: over a long series the
engine otherwise waits for memory half of its time. The figures are those of `simulate` and `measure`, to the last bit.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

from quant.candles import F64
from quant.compiled import Laid, compiled_lean, together
from quant.config import Config
from quant.engine import Simulation, prepared, simulate
from quant.engine.book import ROW
from quant.engine.kernel import Bars, Due, Wants, walk
from quant.engine.simulating import Rates
from quant.indicators import View
from quant.metrics import begun, ended, from_sums, measure, summed
from quant.metrics.curve import BLOCK

BARS = 32 * BLOCK
"""128 kB for each array of floats. Half of it and the eightfold take about the same time."""
TILE = 16
"""Combinations at once. A strategy that gives stops and targets needs 6 MB for each, with 350,000 bars."""

Chosen = tuple[Config, View]


def measured(chosen: Sequence[Chosen], funding: Rates | None) -> list[dict[str, float]]:
    """Measures of each, over the candles that all views have. Raises as `run` does."""
    _keep_memory()
    return [figures for at in range(0, len(chosen), TILE) for figures in _tile(chosen[at : at + TILE], funding)]


@cache
def _keep_memory() -> None:
    """Have the C library keep what is freed: each combination needs the same again, and pages that the kernel gives
    anew cost a fifth of a simulation's time. By glibc's mallopt(3); others do as they do.
    """
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, 1 << 28)
        library.mallopt(_TRIM_THRESHOLD, 1 << 29)


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""As malloc.h numbers them."""


def _tile(chosen: Sequence[Chosen], funding: Rates | None) -> list[dict[str, float]]:
    runs = [_Run(config, view, funding) for config, view in chosen]
    n = len(chosen[0][1].candles)
    equity, position = np.empty(BARS), np.empty(BARS)  # of whichever is at it: what it writes is summed at once
    for base in range(0, n, BARS):
        size = min(BARS, n - base)
        together(walk_and_sum, [one.given for one in runs], Laid(equity[:size], position[:size], base, base + size))
        for one in runs:
            one.check()
    return [one.measures() for one in runs]


@compiled_lean
def walk_and_sum(
    bars: Bars, wants: Wants, due: Due, all_rules: Any, accounts: Any, moments: Any, rows: Any, curves: Any,
    equity: F64, position: F64, base: int, until: int,
) -> None:  # fmt: skip
    """`walk`, then `summed`."""
    walk(bars, wants, due, all_rules, accounts, moments, rows, equity, position, base, until)
    summed(curves, equity, position)


class _Run:
    """One combination under way."""

    def __init__(self, config: Config, view: View, funding: Rates | None) -> None:
        self._prepared = prepared(config, view)
        self._candles, self._initial = view.candles, self._prepared[1].initial
        self._funding = funding if config.costs.funding else None
        rows = np.empty(len(view.candles), ROW)  # pages that are never written take no memory
        self._simulation = Simulation(self._candles, *self._prepared, self._funding, rows)
        self._curve = begun(self._initial)
        self.given = Laid(*self._simulation.given, self._curve)
        self.check = self._simulation.check

    def measures(self) -> dict[str, float]:
        sums = ended(self._curve)
        if sums is None:
            return measure(simulate(self._candles, *self._prepared, self._funding))
        return from_sums(self._candles, self._initial, sums, float(self._curve["before"][0]), self._simulation.closed)
