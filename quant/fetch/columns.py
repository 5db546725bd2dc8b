"""Reading an exchange's rows of candles by columns.

ccxt reads cell by cell, 6.6 ms for 1,000 rows. This takes 1.6, and 0.7 where every cell is a text, read by Arrow: at
the 120 answers a second that Bybit allows the difference is most of a core. Which column is which we learn from ccxt
itself, by letting it read one row of markers; its reading of the first and the last row must then be the same as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from quant.arrow import to_numpy
from quant.candles import F64

Reader = Callable[[Any], Any]
COLUMNS = 6
MARKER = 1000


def read(rows: Any, reader: Reader) -> F64 | None:
    """Shape (n, 6): time, open, high, low, close, volume. None when ccxt had better read them itself."""
    try:
        wanted = _columns(len(rows[0]), reader)
        cells = list(chain.from_iterable(map(itemgetter(*wanted), rows)))
        found = (_of_texts(cells) if isinstance(cells[0], str) else _of_any(cells)).reshape(-1, COLUMNS)
        same = all(list(map(float, reader(rows[at]))) == found[at].tolist() for at in (0, -1))
    except (TypeError, ValueError, LookupError):
        return None
    return found if same else None


def _of_any(cells: list[Any]) -> F64:
    return np.fromiter(map(float, cells), np.float64, len(cells))


def _of_texts(cells: list[Any]) -> F64:
    """All at once, each rounded as Python's float() does. Raises TypeError for what is no text, ValueError for one that
    is no plain number.
    """
    ends = np.cumsum(np.fromiter(map(len, cells), np.int32, len(cells)), dtype=np.int32)
    texts = "".join(cells).encode("ascii")
    offsets = np.concatenate((np.zeros(1, np.int32), ends))
    array = pa.Array.from_buffers(pa.string(), len(cells), [None, pa.py_buffer(offsets), pa.py_buffer(texts)])
    return np.array(to_numpy(array.cast(pa.float64()), np.float64))


def _columns(width: int, reader: Reader) -> Sequence[int]:
    """Raises ValueError or TypeError where a row's cells are not simply taken over."""
    return [int(cell) - MARKER for cell in reader([str(MARKER + at) for at in range(width)])]
