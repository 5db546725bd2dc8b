"""Columns between numpy and Arrow by their memory alone.

Arrow's own `pa.array(numpy)` and `to_numpy` import pandas at their first use, half a second that no command needs.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

Number = TypeVar("Number", np.float64, np.int64)
MS = pa.timestamp("ms", "UTC")
"""How times stand in files: any reader of Parquet shows them as moments."""


def to_arrow(column: NDArray[Any], kind: Any) -> Any:
    """An array of `kind`, whose memory is the column's; both must be eight bytes wide."""
    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(np.ascontiguousarray(column))])


def to_numpy(array: Any, number: type[Number]) -> NDArray[Number]:
    """The memory of an array, or of a column of several, read-only. Raises ValueError when a value is missing."""
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if whole.null_count:
        raise ValueError(f"{whole.null_count} values are missing")
    if not len(whole):
        return np.empty(0, number)
    return np.frombuffer(whole.buffers()[1], number, len(whole), whole.offset * 8)
