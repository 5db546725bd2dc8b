"""The sums of a trade. Pure; money is in the account's currency, prices in the symbol's quote currency.

A **linear** contract (spot, USDT-margined, CFD) gains price distance times quantity times the contract's value: units
of the symbol in one contract, 100 for a gold lot of 100 oz. An **inverse** one (coin-margined) is worth `value` of the
quote currency; it gains coins, and those are counted in money at the price of the exit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MILLION = 1_000_000
SIGN = {"LONG": 1.0, "SHORT": -1.0}


@dataclass(frozen=True, slots=True)
class Position:
    """What a trade's profit depends on, besides the exit and the quantity."""

    side: str
    entry: float
    contract: str = "linear"
    value: float = 1.0


def pnl(position: Position, exit_price: float, qty: float) -> float:
    """Linear: (exit - entry) * qty * value. Inverse: (exit / entry - 1) * qty * value. Reversed for a SHORT."""
    distance = (exit_price - position.entry) * SIGN[position.side]
    if position.contract == "inverse":
        distance /= position.entry
    return distance * qty * position.value


def coins(position: Position, exit_price: float, qty: float) -> float | None:
    """An inverse contract's profit in the coin: (1 / entry - 1 / exit) * qty * value. None for a linear one."""
    if position.contract != "inverse":
        return None
    return pnl(position, exit_price, qty) / exit_price


def risk(position: Position, stop: float | None, qty: float, risk_usd: float | None) -> float | None:
    """What the trade stands to lose: as told, else the loss at the stop; None when neither is known."""
    if risk_usd:
        return risk_usd
    return abs(pnl(position, stop, qty)) if stop else None


def open_risk(risk_usd: float | None, qty: float, qty_closed: float = 0.0) -> int:
    """What the open part of a trade stands to lose, in millionths of the money: risk * (1 - closed / qty); 0: unknown.

    Whole numbers, so that a sum of them from which all was taken away again is nothing, and not nearly nothing.
    """
    held = (risk_usd or 0.0) * (1.0 - qty_closed / qty) * MILLION if qty else 0.0
    return round(held) if math.isfinite(held) else 0


def r_multiple(profit: float, risked: float | None) -> float | None:
    """Profit in units of what was risked; None when that is unknown."""
    if not risked:
        return None
    result = profit / risked
    return result if math.isfinite(result) else None


def mean_price(price: float, qty: float, more: float, more_qty: float) -> float:
    """The mean of two prices by their quantities."""
    return (price * qty + more * more_qty) / (qty + more_qty) if qty else more
