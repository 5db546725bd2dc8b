"""What a simulation gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from quant.candles import F64, I8, I64, Candles


class Reason(IntEnum):
    """Why a position was closed."""

    SIGNAL = 0
    STOP = 1
    TARGET = 2
    TRAILING = 3
    LIQUIDATION = 4
    END = 5
    """The data ended: closed at the last close, so that nothing stays uncounted."""


@dataclass(frozen=True)
class Trades:
    """One row for each closed position, in the order of their exits; arrays of shape (m,).

    `entry_bar`, `exit_bar` index the candles: where it was filled. Prices are fills (slippage is in them). `stop` is
    the first stop's price, nan without one. Money (`pnl`, `fees`, `funding`) is in the account's currency: the quote
    currency for linear contracts, the coin for inverse ones. `pnl` is net: fees taken off, funding counted. `r` is
    `pnl` over what was risked at the entry, |entry - stop| x quantity in the account's currency, nan without a stop.
    `mae` and `mfe` are the worst and best excursion from the entry price, as fractions of it, <= 0 and >= 0.
    """

    side: I8
    entry_bar: I64
    exit_bar: I64
    quantity: F64
    entry: F64
    exit: F64
    stop: F64
    pnl: F64
    fees: F64
    funding: F64
    r: F64
    mae: F64
    mfe: F64
    reason: I8

    def __len__(self) -> int:
        return len(self.side)


@dataclass(frozen=True)
class Result:
    """`equity` at each bar's close, in the account's currency, and the signed quantity held then: shape (n,).

    At the last bar: the equity after END closed what was held, and what was held. `refused`: entries that were too
    small for the instrument, or had no equity behind them, or no stop to be sized by.
    """

    candles: Candles
    initial: float
    equity: F64
    position: F64
    trades: Trades
    refused: int = 0
