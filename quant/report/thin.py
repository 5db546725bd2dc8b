"""Fewer points of a long curve, with every peak and every valley that a screen could show."""

from __future__ import annotations

import numpy as np

from quant.candles import F64, I64


def thinned(values: F64, most: int) -> I64:
    """Which points to keep, rising: of each stretch its lowest, its highest and its last. Shape (<= `most`,)."""
    n = len(values)
    if n <= most:
        return np.arange(n, dtype=np.int64)
    stretch = -(-n // max(most // 3, 1))
    whole = n // stretch * stretch
    blocks = values[:whole].reshape(-1, stretch)
    starts = np.arange(len(blocks), dtype=np.int64) * stretch
    kept = [starts + blocks.argmin(1), starts + blocks.argmax(1), starts + stretch - 1]
    if whole < n:
        rest = values[whole:]
        kept.append(np.array([whole + rest.argmin(), whole + rest.argmax(), n - 1], np.int64))
    return rising(np.concatenate(kept))


def rising(places: I64) -> I64:
    """Sorted, each once. As np.unique, which imports numpy's masked arrays first."""
    found = np.sort(places)
    first: I64 = found[np.append(True, found[1:] != found[:-1])[: len(found)]]
    return first


def drawdown(equity: F64, initial: float) -> F64:
    """How far below its highest so far, as a fraction <= 0; the initial equity counts. Shape (n,)."""
    peaks = np.maximum(np.maximum.accumulate(equity), initial)
    found: F64 = equity / peaks - 1.0
    return found
