"""Quantiles, as numpy gives them by default, to the last bit; numpy's own import its masked arrays first, 20 ms."""

from __future__ import annotations

import math

from quant.candles import F64


def quantile(rising: F64, q: float) -> float:
    """Of sorted numbers, none of them nan, shape (n > 0,): between two of them on the line from one to the other."""
    place = (len(rising) - 1) * q
    at = math.floor(place)
    low, high, part = float(rising[at]), float(rising[min(at + 1, len(rising) - 1)]), place - at
    return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part
