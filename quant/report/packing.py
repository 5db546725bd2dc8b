"""Arrays inside a page: every candle of years of them in a megabyte or two, to be unpacked by static/data.js.

Prices are written in whole units, each as its distance from what one expects (an open from the close before it, a high
from the body), then byte by byte: most of these are 0, and deflate makes nothing of them.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quant.candles import COLUMNS, F64, I64, Candles
from quant.engine.result import Trades
from quant.report.thin import thinned
from quant.ticks import tick_of

MOST_UNITS = 2**30
LEVEL = 2
"""Of deflate: a twentieth larger than 6, in a third of the time."""
CURVE_POINTS = 20_000
_SAMPLE = 2_000
U32 = NDArray[np.uint32]
Packed = Mapping[str, F64 | U32 | NDArray[np.int8]]


@dataclass(frozen=True)
class Blob:
    """`head` (JSON) says what lies in `body` (base64 of deflated bytes), in which order."""

    head: str
    body: str


def packed(arrays: Packed) -> Blob:
    """float64 and int8 as they are; uint32 as four planes of bytes, the lowest first."""
    head, parts = list[tuple[str, str, int]](), list[bytes]()
    for name, array in arrays.items():
        kind = {"f": "f64", "u": "u32", "i": "i8"}[array.dtype.kind]
        head.append((name, kind, len(array)))
        parts.append(_planes(array) if kind == "u32" else array.astype(array.dtype.newbyteorder("<")).tobytes())
    body = zlib.compress(b"".join(parts), LEVEL)
    return Blob(json.dumps(head), base64.b64encode(body).decode())


def bars(candles: Candles, unit: float) -> Packed:
    """`first` and `step` (ms) of the times, `unit`; then the candles as distances."""
    whole = {name: np.rint(getattr(candles, name) / unit).astype(np.int64) for name in ("open", "high", "low", "close")}
    o, c = whole["open"], whole["close"]
    before = np.concatenate([o[:1], c[:-1]])
    steps = np.diff(candles.time) // candles.timeframe.ms - 1
    return {
        "scale": np.array([float(candles.time[0]), float(candles.timeframe.ms), unit, float(o[0])]),
        "missing": np.concatenate([[0], steps]).astype(np.uint32),
        "gap": _zigzag(o - before),
        "body": _zigzag(c - o),
        "above": (whole["high"] - np.maximum(o, c)).astype(np.uint32),
        "below": (np.minimum(o, c) - whole["low"]).astype(np.uint32),
    }


def curve(equity: F64, initial: float) -> Packed:
    """`at`: bars, `equity` there; thinned, with its peaks and valleys kept."""
    kept = thinned(equity, CURVE_POINTS)
    return {"initial": np.array([initial]), "at": kept.astype(np.uint32), "equity": equity[kept]}


def trades(found: Trades) -> Packed:
    bars = {"entry_bar": found.entry_bar.astype(np.uint32), "exit_bar": found.exit_bar.astype(np.uint32)}
    money = {name: getattr(found, name).astype(np.float64) for name in ("entry", "exit", "stop", "pnl", "r")}
    return {"side": found.side.astype(np.int8), "reason": found.reason.astype(np.int8)} | bars | money


def unit_of(candles: Candles) -> float:
    """The price step that a few thousand bars show, or a coarser one that keeps prices within 30 bits."""
    step = max(1, len(candles) // _SAMPLE)
    unit = tick_of(replace(candles, **{name: getattr(candles, name)[::step] for name in COLUMNS}))
    return float(max(unit, candles.high.max() / MOST_UNITS))


def _zigzag(values: I64) -> U32:
    """0, -1, 1, -2 as 0, 1, 2, 3: small either way."""
    found: U32 = ((values << 1) ^ (values >> 63)).astype(np.uint32)
    return found


def _planes(values: NDArray[np.generic]) -> bytes:
    return values.astype("<u4").view(np.uint8).reshape(-1, 4).T.tobytes()
