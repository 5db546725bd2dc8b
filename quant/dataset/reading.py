"""From the catalogue's entries to bars."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np

from quant.candles import COLUMNS, Candles
from quant.dataset import manifest, parquet
from quant.dataset.files import Files
from quant.dataset.manifest import Part, Series
from quant.errors import BadData


def entry(files: Files, path: str) -> Series | None:
    """None where there is none (any more). Raises BadData when it is damaged."""
    with contextlib.suppress(FileNotFoundError):
        return manifest.from_json(files.read([path])[0], f"{files}/{path}")
    return None


def bars(files: Files, series: Series, parts: Sequence[Part]) -> Candles:
    """Of these parts, oldest first. Raises FileNotFoundError when one was replaced meanwhile, BadData when one is
    damaged."""
    data = files.read(f"{series.folder}/{part.file}" for part in parts)
    read = [_columns(one, part, series) for one, part in zip(data, parts, strict=True)]
    columns: parquet.Columns = {
        name: np.concatenate([one[name] for one in read]) if read else np.empty(0) for name in COLUMNS
    }
    return Candles(series.source, series.symbol, series.timeframe, **columns)


def repair(series: Series) -> str:
    """What to do about a file that is damaged or gone."""
    entry = f"{series.folder}/{manifest.FILE}"
    return f"remove {entry}: the next fetch or import keeps the files that are whole, and brings the rest again"


def _columns(data: bytes, part: Part, series: Series) -> parquet.Columns:
    try:
        columns = parquet.from_bytes(data)
        if any(len(columns[column]) != part.bars for column in COLUMNS):
            raise ValueError(f"{len(columns['time'])} bars, the catalogue says {part.bars}")
        return columns
    except (ValueError, KeyError) as error:
        raise BadData(f"{series.name}: {part.file}: {error}", hint=repair(series)) from None
