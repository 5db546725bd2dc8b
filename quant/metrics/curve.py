"""A curve of equity, summed in one pass: at once, or in blocks while they are still in the processor's cache."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quant.candles import F64
from quant.compiled import compiled_lean
from quant.engine.records import layout

BLOCK = 512
"""Bars summed by themselves before they join the whole: the error stays near that of pairwise summation."""
EVEN = 1e-3
"""Of the sum of squares: below it a variance has lost digits."""


class CurveSums(NamedTuple):
    """Mean and variance (ddof 1) of returns, the sum of squares of those below 0, the lowest of equity over its peak,
    the longest time below a peak in bars, bars with a position."""

    mean: float
    variance: float
    below: float
    lowest: float
    longest: float
    held: float


class Curve:
    """The sums so far, over `bars` bars; what is under way: the `peak` since bar `peaked`, the `low` since then, and
    the equity `before`."""

    total: float
    squares: float
    below: float
    peak: float
    low: float
    lowest: float
    peaked: int
    longest: int
    held: int
    before: float
    bars: int


CURVE = layout(Curve)


def begun(initial: float) -> NDArray[Any]:
    """Nothing summed yet."""
    found = np.zeros(1, CURVE)
    found["peak"] = found["low"] = found["before"] = initial
    found["lowest"], found["peaked"] = 1.0, -1
    return found


@compiled_lean
def summed(curves: Any, equity: F64, position: F64) -> None:
    """Goes on with the next bars: by whole BLOCKs, it is the same to the last bit as all at once."""
    curve = curves[0]
    n, past = len(equity), curve.bars
    total, squares, below = curve.total, curve.squares, curve.below
    peak, low, lowest, peaked, longest, held = (
        curve.peak, curve.low, curve.lowest, curve.peaked - past, curve.longest, curve.held,
    )  # fmt: skip
    before = curve.before
    for begin in range(0, n, BLOCK):
        block, block_squares, block_below = 0.0, 0.0, 0.0
        for t in range(begin, min(begin + BLOCK, n)):
            now = equity[t]
            change = now / before - 1.0 if before > 0.0 else 0.0
            before = now
            block += change
            block_squares += change * change
            loss = min(change, 0.0)
            block_below += loss * loss
            held += position[t] != 0.0
            if now >= peak:
                lowest = min(lowest, low / peak)
                longest = max(longest, t - peaked - 1)
                peak, low, peaked = now, now, t
            low = min(low, now)
        total += block
        squares += block_squares
        below += block_below
    curve.total, curve.squares, curve.below = total, squares, below
    curve.peak, curve.low, curve.lowest, curve.peaked = peak, low, lowest, peaked + past
    curve.longest, curve.held, curve.before, curve.bars = longest, held, before, past + n


@compiled_lean
def _squares(equity: F64, initial: float, mean: float, sums: F64) -> None:
    """Of the returns' distances from their mean, one by one."""
    found, before = 0.0, initial
    for t in range(len(equity)):
        change = equity[t] / before - 1.0 if before > 0.0 else 0.0
        found += (change - mean) ** 2
        before = equity[t]
    sums[0] = found


def ended(curve: NDArray[Any]) -> CurveSums | None:
    """What the sums come to; None when the variance would lose digits, as for a curve that grows evenly: that one needs
    its equity once more."""
    one = _read(curve)
    n, mean = one.bars, one.total / one.bars
    spread = one.squares - n * mean * mean
    if n > 1 and spread < EVEN * one.squares:
        return None
    return _sums(one, mean, spread / (n - 1) if n > 1 else math.nan)


def even(curve: NDArray[Any], equity: F64, initial: float) -> CurveSums:
    """The same with the variance from a second pass over the equity."""
    one = _read(curve)
    mean = one.total / one.bars
    squares = np.zeros(1)
    _squares(equity, float(initial), mean, squares)
    return _sums(one, mean, float(squares[0]) / (one.bars - 1))


def _read(curve: NDArray[Any]) -> Curve:
    found = Curve()
    for name in CURVE.names or ():
        setattr(found, name, curve[name][0].item())
    return found


def _sums(one: Curve, mean: float, variance: float) -> CurveSums:
    lowest, longest = min(one.lowest, one.low / one.peak), max(one.longest, one.bars - 1 - one.peaked)
    return CurveSums(mean, variance, one.below, lowest, float(longest), float(one.held))


def fixed(array: F64) -> F64:
    """Contiguous, float64, read-only: for numba a writable array is another type, and another compilation."""
    found = np.ascontiguousarray(array, np.float64).view()
    found.flags.writeable = False
    return found
