"""Columns as the bytes of a Parquet file, the same bytes for the same content, and back.

Floats are split by bytes before they are compressed, times written as differences: half the size of plain columns, and
350,000 bars are read in about 15 ms. Any reader of Parquet shows them; `time` is a timestamp in UTC.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from quant.arrow import MS, to_arrow, to_numpy

Columns = dict[str, NDArray[Any]]


def to_bytes(columns: Mapping[str, NDArray[Any]], about: Mapping[str, str]) -> bytes:
    """`time` is int64 ms, all others float64. `about` tells what it is, for who finds the file alone."""
    arrays = [to_arrow(column, MS if name == "time" else pa.float64()) for name, column in columns.items()]
    schema = pa.schema(
        [pa.field(name, one.type, False) for name, one in zip(columns, arrays, strict=True)], dict(about)
    )
    floats = dict.fromkeys((name for name in columns if name != "time"), "BYTE_STREAM_SPLIT")
    file = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema), file, compression="lz4", use_dictionary=False,
        column_encoding={"time": "DELTA_BINARY_PACKED"} | floats, write_statistics=True,
    )  # fmt: skip
    return file.getvalue()


def from_bytes(data: bytes) -> Columns:
    """Raises ValueError on what is not such a file."""
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
        return {name: _column(table[name], name) for name in table.column_names}
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ValueError(f"not readable as Parquet: {error}") from None


def _column(array: Any, name: str) -> NDArray[Any]:
    kind = MS if name == "time" else pa.float64()
    if array.type != kind:
        raise ValueError(f"column {name} is {array.type}, expected {kind}")
    return to_numpy(array, np.int64) if name == "time" else to_numpy(array, np.float64)
