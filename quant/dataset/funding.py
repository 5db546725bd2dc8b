"""Funding rates of one perpetual: one small file, replaced as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.candles import F64, I64
from quant.dataset import parquet
from quant.dataset.files import Files
from quant.dataset.names import safe
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

    def __len__(self) -> int:
        return len(self.time)


def path_of(source: str, symbol: str) -> str:
    return f"{safe(source)}/{safe(symbol)}/{FILE}"


def read(files: Files, source: str, symbol: str) -> Funding | None:
    """Raises BadData when the file is damaged."""
    path = path_of(source, symbol)
    try:
        columns = parquet.from_bytes(files.read([path])[0])
        return Funding(columns["time"], columns["rate"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError) as error:
        raise BadData(f"{files}/{path}: {error}", hint="remove it and fetch the funding rates again") from None


def add(files: Files, source: str, symbol: str, new: Funding) -> int:
    """How many are new. Idempotent; where both have a settlement the new one counts. Raises BadData."""
    _require(new, f"{source} {symbol} funding")
    path = path_of(source, symbol)
    with files.alone(path.rpartition("/")[0]):
        old = read(files, source, symbol)
        both = _union(old, new) if old else new
        if not len(both) or (old and np.array_equal(old.time, both.time) and np.array_equal(old.rate, both.rate)):
            return 0
        about = {"source": source, "symbol": symbol, "kind": "funding"}
        files.write(path, parquet.to_bytes({"time": both.time, "rate": both.rate}, about))
    return len(both) - (len(old) if old else 0)


def _union(old: Funding, new: Funding) -> Funding:
    time, rate = np.concatenate((old.time, new.time)), np.concatenate((old.rate, new.rate))
    order = np.argsort(time, kind="stable")
    kept = order[np.append(time[order][1:] != time[order][:-1], True)]
    return Funding(time[kept], rate[kept])


def _require(funding: Funding, name: str) -> None:
    wrong = ~(np.abs(funding.rate) <= LARGEST_RATE)
    wrong[1:] |= np.diff(funding.time) <= 0
    if len(funding.time) != len(funding.rate) or wrong.any():
        at = int(np.argmax(wrong))
        raise BadData(f"{name}: {shown(int(funding.time[at]))} rate {funding.rate[at]}: no rate, or out of order")
