"""Candles: finished bars of one series, checked once, then read by everything else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from quant.errors import BadData
from quant.periods import split
from quant.timeframe import Timeframe

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
COLUMNS = ("time", "open", "high", "low", "close", "volume")
LARGEST = 1e15
"""As in the ledger: beyond this a price or a volume is a mistake."""


@dataclass(frozen=True)
class Candles:
    """Bars of `symbol`, oldest first, arrays of shape (n,), read-only.

    `time` is int64, milliseconds since 1970 in UTC, of a bar's OPEN. Prices are float64 in the quote currency,
    `volume` in the base currency. Times rise strictly, and each is where a bar of the timeframe begins; bars may be
    missing (gaps are told by the dataset, never filled).
    """

    source: str
    symbol: str
    timeframe: Timeframe
    time: I64
    open: F64
    high: F64
    low: F64
    close: F64
    volume: F64

    def __post_init__(self) -> None:
        for name in COLUMNS:
            kind = np.int64 if name == "time" else np.float64
            array = np.ascontiguousarray(getattr(self, name), kind)
            if array.flags.writeable:
                array = array.view()
                array.flags.writeable = False
            object.__setattr__(self, name, array)
        if len({getattr(self, name).shape for name in COLUMNS}) != 1 or self.time.ndim != 1:
            raise BadData(f"{self.name}: columns of different lengths")

    def __len__(self) -> int:
        return len(self.time)

    @property
    def name(self) -> str:
        return f"{self.source} {self.symbol} {self.timeframe}"

    def part(self, begin: int, end: int) -> Candles:
        """Bars [begin, end): views, nothing is copied."""
        return replace(self, **{name: getattr(self, name)[begin:end] for name in COLUMNS})

    @cached_property
    def sha256(self) -> str:
        """Of what the bars are, whatever file they came from: symbol, timeframe, and each period's `digest`.

        Hashed by periods, so that a dataset knows the whole's hash after it touched one of them.
        """
        parts = split(self.time, self.timeframe)
        return hash_of(self.symbol, self.timeframe, {name: self.part(begin, end).digest for name, begin, end in parts})

    @cached_property
    def digest(self) -> str:
        """sha256 of the columns alone, one after the other, little-endian."""
        found = hashlib.sha256(f"{len(self)}\n".encode())
        for name in COLUMNS:
            column = getattr(self, name)
            found.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).data)
        return found.hexdigest()


def hash_of(symbol: str, timeframe: Timeframe, digests: Mapping[str, str]) -> str:
    """`Candles.sha256` of bars whose periods (quant.periods) have these digests, oldest first."""
    lines = [symbol, timeframe.text, *(f"{period} {digest}" for period, digest in digests.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
