"""Funding rates of one perpetual: one small file, replaced as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.candles import F64, I64
from quant.dataset import parquet
from quant.dataset.files import Files
from quant.dataset.names import safe
from quant.dataset.rules import CALENDAR
from quant.errors import BadData
from quant.times import shown

FILE = "funding.parquet"
LARGEST_RATE = 1.0
"""Of one settlement; exchanges cap it at some percent."""


@dataclass(frozen=True)
class Funding:
    """Settlements, oldest first, arrays of shape (m,): `time` int64 ms in UTC, `rate` float64, the fraction of a
    position's value that longs pay to shorts then (negative: shorts pay)."""

    time: I64
    rate: F64

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", np.ascontiguousarray(self.time, np.int64))
        object.__setattr__(self, "rate", np.ascontiguousarray(self.rate, np.float64))
        if self.time.shape != self.rate.shape or self.time.ndim != 1:
            raise BadData("funding rates and their times are not of one length")

    def __len__(self) -> int:
        return len(self.time)


def path_of(source: str, symbol: str) -> str:
    return f"{safe(source)}/{safe(symbol)}/{FILE}"


def read(files: Files, source: str, symbol: str) -> Funding | None:
    """None when there are none. Raises BadData when the file is damaged."""
    try:
        return read_path(files, path_of(source, symbol))
    except FileNotFoundError:
        return None


def read_path(files: Files, path: str) -> Funding:
    """Raises FileNotFoundError, and BadData when the file is damaged."""
    try:
        columns = parquet.from_bytes(files.read([path])[0])
        found = Funding(columns["time"], columns["rate"])
        _require(found, f"{files}/{path}")
        return found
    except (ValueError, KeyError) as error:
        raise BadData(f"{files}/{path}: {error}", hint="remove it and fetch the funding rates again") from None


def add(files: Files, source: str, symbol: str, new: Funding) -> int:
    """How many are new. Idempotent; where both have a settlement the new one counts. Raises BadData, StoreFailed."""
    _require(new, f"{source} {symbol} funding")
    with files.alone(path_of(source, symbol).rpartition("/")[0]):
        return files.until_settled(lambda: _add(files, source, symbol, new))


def _add(files: Files, source: str, symbol: str, new: Funding) -> int:
    path = path_of(source, symbol)
    seen = files.version(path)
    old = read(files, source, symbol) or Funding(np.empty(0, np.int64), np.empty(0))
    both = _union(old, new)
    if not (np.array_equal(old.time, both.time) and np.array_equal(old.rate, both.rate)):
        about = {"source": source, "symbol": symbol, "kind": "funding"}
        files.replace(path, parquet.to_bytes({"time": both.time, "rate": both.rate}, about), seen)
    return len(both) - len(old)


def _union(old: Funding, new: Funding) -> Funding:
    time, rate = np.concatenate((old.time, new.time)), np.concatenate((old.rate, new.rate))
    order = np.argsort(time, kind="stable")
    kept = order[np.append(time[order][1:] != time[order][:-1], True)]
    return Funding(time[kept], rate[kept])


def _require(funding: Funding, name: str) -> None:
    wrong = ~(np.abs(funding.rate) <= LARGEST_RATE)
    wrong[1:] |= np.diff(funding.time) <= 0
    wrong |= (funding.time < CALENDAR[0]) | (funding.time >= CALENDAR[1])
    if wrong.any():
        at = int(np.argmax(wrong))
        raise BadData(f"{name}: {shown(int(funding.time[at]))} rate {funding.rate[at]}: no rate, or out of order")
