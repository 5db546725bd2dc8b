"""Reading an exchange's rows of candles by columns.

ccxt reads cell by cell, 6.6 ms for 1,000 rows, and this takes 2: at the 120 answers a second that Bybit allows the
difference is half a core. Which column is which we learn from ccxt itself, by letting it read one row of markers; its
reading of the first and the last row must then be the same as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from quant.candles import F64

Reader = Callable[[Any], Any]
COLUMNS = 6
MARKER = 1000


def read(rows: Any, reader: Reader) -> F64 | None:
    """Shape (n, 6): time, open, high, low, close, volume. None when ccxt had better read them itself."""
    try:
        cells = itemgetter(*_columns(len(rows[0]), reader))
        numbers = map(float, chain.from_iterable(map(cells, rows)))
        found = np.fromiter(numbers, np.float64, COLUMNS * len(rows)).reshape(-1, COLUMNS)
        same = all(list(map(float, reader(rows[at]))) == found[at].tolist() for at in (0, -1))
    except (TypeError, ValueError, LookupError):
        return None
    return found if same else None


def _columns(width: int, reader: Reader) -> Sequence[int]:
    """Raises ValueError or TypeError where a row's cells are not simply taken over."""
    return [int(cell) - MARKER for cell in reader([str(MARKER + at) for at in range(width)])]
