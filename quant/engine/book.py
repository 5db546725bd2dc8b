"""What a simulation writes: a row for each trade, equity and position for each bar, and where the account stands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.candles import F64
from quant.engine.result import Trades

Row = Any
"""One element of a structured array, as compiled code sees it."""
ROW = np.dtype(
    [
        ("side", "i8"), ("entry_bar", "i8"), ("exit_bar", "i8"), ("quantity", "f8"), ("entry", "f8"), ("exit", "f8"),
        ("stop", "f8"), ("pnl", "f8"), ("fees", "f8"), ("funding", "f8"), ("r", "f8"), ("mae", "f8"), ("mfe", "f8"),
        ("reason", "i8"),
    ]
)  # fmt: skip
"""As `Trades` has them."""
ACCOUNT = np.dtype(
    [
        ("cash", "f8"), ("answered", "i8"), ("side", "i8"), ("quantity", "f8"), ("size", "f8"), ("entry", "f8"),
        ("entry_value", "f8"), ("entry_bar", "i8"), ("fees", "f8"), ("funding", "f8"), ("first_stop", "f8"),
        ("risk", "f8"), ("stop", "f8"), ("trailing", "f8"), ("distance", "f8"), ("liquidation", "f8"), ("level", "f8"),
        ("reason", "i8"), ("target", "f8"), ("highest", "f8"), ("lowest", "f8"), ("trades", "i8"), ("refused", "i8"),
        ("wrong", "i8"), ("bar", "i8"), ("value", "f8"),
    ]
)  # fmt: skip
"""Where the account stands between two steps of a bar.

`cash`: the equity without the open position's profit. `answered`: the wanted side that was last acted upon: the same
one again asks for nothing. `side`: 1, 0, -1. `size`: the quantity in what profits are counted by (`fills.worth`).
`stop`, `trailing`, `liquidation`: levels on the losing side, and `level`, the nearest of them, with its `reason`.
`wrong`, `bar`, `value`: why the simulation cannot go on, where, and by which number.
"""


class Scratch:
    """What `simulate` writes into, for up to `n` bars. Given from one call to the next, nothing is allocated again, and
    a Result's equity and position hold until the next call only.
    """

    def __init__(self, n: int) -> None:
        self.equity: F64 = np.empty(n)
        self.position: F64 = np.empty(n)
        self.rows: NDArray[Any] = np.empty(n, ROW)
        """At most one entry a bar. Pages that are never written take no memory."""
        self.account: NDArray[Any] = np.zeros(1, ACCOUNT)

    def __len__(self) -> int:
        return len(self.equity)


def trades(rows: NDArray[Any]) -> Trades:
    """Copies, column by column."""
    columns = {name: np.ascontiguousarray(rows[name]) for name in ROW.names or ()}
    small = {name: columns[name].astype(np.int8) for name in ("side", "reason")}
    return Trades(**(columns | small))
