"""The sums of the ledger. Pure; money is in the account's currency, prices in the symbol's quote currency.

Linear contracts only: profit is price distance times quantity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

SIGN = {"LONG": 1.0, "SHORT": -1.0}


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from a peak of equity: as an amount (>= 0), and in percent of that peak."""

    amount: float = 0.0
    percent: float = 0.0


def pnl(side: str, entry: float, exit_price: float, qty: float) -> float:
    """(exit - entry) * qty for a LONG, the reverse for a SHORT."""
    return (exit_price - entry) * qty * SIGN[side]


def risk(entry: float, stop: float | None, qty: float, risk_usd: float | None) -> float | None:
    """What the trade stands to lose: as told, else from the stop's distance; None when neither is known."""
    if risk_usd:
        return risk_usd
    return abs(entry - stop) * qty if stop else None


def r_multiple(profit: float, risked: float | None) -> float | None:
    """Profit in units of what was risked; None when that is unknown."""
    if not risked:
        return None
    result = profit / risked
    return result if math.isfinite(result) else None


def equity(start: float, profits: Iterable[float]) -> list[float]:
    """Equity after each closed trade, in the order they closed."""
    values, value = [], start
    for profit in profits:
        value += profit
        values.append(value)
    return values


def drawdown(start: float, values: Iterable[float]) -> Drawdown:
    """The deepest fall from the highest equity before it, `start` included. Amount and percent may differ in place."""
    peak, amount, percent = start, 0.0, 0.0
    for value in values:
        peak = max(peak, value)
        amount = max(amount, peak - value)
        percent = max(percent, (peak - value) / peak * 100.0)
    return Drawdown(amount, percent)
