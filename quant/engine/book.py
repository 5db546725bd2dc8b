"""What a simulation writes: a row for each trade, equity and position for each bar, and where the account stands."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quant.candles import F64, I64
from quant.engine.records import layout
from quant.engine.result import Trades


class Row:
    """A trade, as `Trades` has it."""

    side: int
    entry_bar: int
    exit_bar: int
    quantity: float
    entry: float
    exit: float
    stop: float
    pnl: float
    fees: float
    funding: float
    r: float
    mae: float
    mfe: float
    reason: int


class Account:
    """Where the account stands between two steps of a bar.

    `cash`: the equity without the open position's profit. `answered`: the wanted side that was last acted upon: the
    same one again asks for nothing. `side`: 1, 0, -1. `size`: the quantity in what profits are counted by
    (`fills.worth`). `stop`, `trailing`, `liquidation`: prices on the losing side, and `level`, the nearest of them,
    with its `reason`. `best`, `worst`: the extremes since the entry, times the side. `paid` of the fundings are
    behind, `due` is the bar of the next one. `wrong`, `bar`, `value`: why it cannot go on, where, and by which number.
    """

    cash: float
    answered: int
    side: int
    quantity: float
    size: float
    entry: float
    entry_value: float
    entry_bar: int
    fees: float
    funding: float
    risk: float
    first_stop: float
    stop: float
    trailing: float
    distance: float
    liquidation: float
    level: float
    reason: int
    target: float
    best: float
    worst: float
    trades: int
    refused: int
    paid: int
    due: int
    wrong: int
    bar: int
    value: float


class Moment:
    """What is known when a bar begins, and the price then: `wanted` side, `stop` and `target` distances, `atr` and
    `volatility` are of the last close (nan: none), `rate` is the funding due (0: none)."""

    bar: int
    price: float
    wanted: int
    stop: float
    target: float
    atr: float
    volatility: float
    rate: float


MOMENT = layout(Moment)
ROW = layout(Row)
ACCOUNT = layout(Account)


class Scratch:
    """What `simulate` writes into, for up to `n` bars. Given from one call to the next, nothing is allocated again, and
    a Result's equity and position hold until the next call only.
    """

    def __init__(self, n: int) -> None:
        self.equity: F64 = np.empty(n)
        self.position: F64 = np.empty(n)
        self.rows: NDArray[Any] = np.empty(n, ROW)
        """At most one entry a bar. Pages that are never written take no memory."""

    def __len__(self) -> int:
        return len(self.equity)


class Closed(NamedTuple):
    """What measures need of `Trades`."""

    entry_bar: I64
    exit_bar: I64
    pnl: F64
    fees: F64
    funding: F64
    r: F64


def closed(rows: NDArray[Any]) -> Closed:
    """Copies, column by column."""
    return Closed(*(np.ascontiguousarray(rows[name]) for name in Closed._fields))


def trades(rows: NDArray[Any]) -> Trades:
    """Copies, column by column."""
    columns = {name: np.ascontiguousarray(rows[name]) for name in ROW.names or ()}
    small = {name: columns[name].astype(np.int8) for name in ("side", "reason")}
    return Trades(**(columns | small))
