"""Arrow's columns as numpy's arrays and back, by their buffers.

pyarrow's own ways (`pa.array`, `cast`, `to_numpy`) first import pandas or all of its compute functions: more time than
a backtest over ten years of bars.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray


def column(values: NDArray[Any], kind: Any) -> Any:
    """A pyarrow array of `kind`, whose values lie in memory as those of `values` do; nothing is copied."""
    values = np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def values(found: Any, kind: Any) -> NDArray[Any]:
    """Of a chunked array, as numpy has `kind` (float64, or int64 for times). Another type is cast, null is nan.

    Raises pyarrow.ArrowException when that cannot be.
    """
    if found.type != kind or found.null_count:
        found = found.cast(kind)
        if found.null_count:
            return np.asarray(found.to_numpy())
    dtype = np.dtype(np.float64 if pa.types.is_floating(kind) else np.int64)
    parts = [
        np.frombuffer(one.buffers()[1], dtype, len(one), one.offset * dtype.itemsize)
        for one in found.chunks
        if len(one)
    ]
    if not parts:
        return np.empty(0, dtype)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
