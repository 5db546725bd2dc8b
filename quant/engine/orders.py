"""Opening and closing a position: where the account's money changes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from quant.candles import F64, I8, I64
from quant.compiled import part
from quant.engine.book import Row
from quant.engine.fills import market, worth
from quant.engine.levels import away, distance, liquidation, take_nearest
from quant.engine.result import Reason
from quant.engine.sizes import LARGEST, quantity, unit
from quant.engine.spec import VOLATILITY, Rules

TOO_LARGE, NO_PRICE, BAD_DISTANCE = 1, 2, 3
"""Why a simulation cannot go on."""
TARGET = int(Reason.TARGET)


class Bars(NamedTuple):
    open: F64
    high: F64
    low: F64
    close: F64


class Wants(NamedTuple):
    """What is known at each bar's close; all but `side` may be empty."""

    side: I8
    stop: F64
    target: F64
    atr: F64
    volatility: F64


class Due(NamedTuple):
    """Funding rates by the bar at whose open they are paid, in order; the last bar is one that never comes."""

    bar: I64
    rate: F64


@part
def at(values: F64, t: int) -> float:
    """nan where there are none."""
    return values[t] if len(values) else np.nan


@part
def known(t: int, wants: Wants, rules: Rules) -> bool:
    """Whether what a position is sized and left by is known at bar t: until then the signal waits."""
    by_atr = rules.stop_atr > 0 or rules.target_atr > 0 or rules.trailing_atr > 0
    if by_atr and not wants.atr[t] > 0:
        return False
    return rules.mode != VOLATILITY or wants.volatility[t] > 0


@part
def enter(t: int, side: int, wants: Wants, bars: Bars, rules: Rules, account: Row) -> None:
    """Open at bar t's open what was wanted at t - 1, with its levels; or count it as refused."""
    fill = market(bars.open[t], side, rules)
    if not fill > 0:
        fail(NO_PRICE, t, fill, account)
        return
    apart = set_levels(t, side, fill, wants, rules, account)
    found = quantity(fill, apart, account.first_stop, at(wants.volatility, t - 1), account.cash, rules)
    if found > LARGEST:
        fail(TOO_LARGE, t, found, account)
    elif found > 0:
        hold(t, side, fill, found, rules, account)
    else:
        account.refused += 1


@part
def set_levels(t: int, side: int, fill: float, wants: Wants, rules: Rules, account: Row) -> float:
    """Stop, trailing stop and target of a fill at bar t. Returns how far the first stop is, nan without one."""
    atr = at(wants.atr, t - 1)
    stop = distance(fill, atr, rules.stop_atr, rules.stop_part, at(wants.stop, t - 1))
    account.distance = distance(fill, atr, rules.trailing_atr, rules.trailing_part, np.nan)
    if stop <= 0 or stop == np.inf:
        fail(BAD_DISTANCE, t - 1, stop, account)
    account.stop = away(fill, stop, -side, rules.tick)
    account.trailing = away(fill, account.distance, -side, rules.tick)
    first = side * max(side * account.stop, side * account.trailing)
    account.first_stop = first if 0 < first < np.inf else np.nan
    apart: float = abs(fill - account.first_stop) if rules.tick > 0 else np.fmin(stop, account.distance)
    set_target(t, side, fill, apart, atr, wants, rules, account)
    return apart


@part
def set_target(
    t: int, side: int, fill: float, apart: float, atr: float, wants: Wants, rules: Rules, account: Row
) -> None:
    gain = distance(fill, atr, rules.target_atr, rules.target_part, at(wants.target, t - 1))
    if rules.target_r > 0:
        gain = rules.target_r * apart
    if gain <= 0 or gain == np.inf:
        fail(BAD_DISTANCE, t - 1, gain, account)
    account.target = away(fill, gain, side, rules.tick)


@part
def hold(t: int, side: int, fill: float, found: float, rules: Rules, account: Row) -> None:
    """The position is there, and its entry's fee is paid."""
    account.side, account.quantity, account.entry, account.entry_bar = side, found, fill, t
    account.size = found * unit(fill, rules)
    account.entry_value = worth(fill, rules)
    account.risk = account.size * abs(worth(account.first_stop, rules) - account.entry_value)
    account.fees = rules.taker * account.size * abs(account.entry_value)
    account.cash -= account.fees
    account.funding = 0.0
    account.highest = account.lowest = fill
    account.liquidation = liquidation(account, rules)
    take_nearest(account)


@part
def leave(t: int, price: float, reason: int, rules: Rules, account: Row, rows: Any) -> None:
    """Close the position at a price of bar t: at the target as a maker, else at market."""
    fill = price if reason == TARGET else market(price, -account.side, rules)
    if not fill > 0:
        fail(NO_PRICE, t, fill, account)
    value = worth(fill, rules)
    fee = (rules.maker if reason == TARGET else rules.taker) * account.size * abs(value)
    gain = account.side * account.size * (value - account.entry_value) - fee
    gain = max(gain, -account.cash)  # an account cannot go below zero: what is lost beyond it is the exchange's
    write(t, fill, gain, fee, reason, account, rows[account.trades])
    account.cash += gain
    account.trades += 1
    account.side = 0


@part
def write(t: int, fill: float, gain: float, fee: float, reason: int, account: Row, row: Row) -> None:
    """A trade's row."""
    row.side, row.entry_bar, row.exit_bar, row.reason = account.side, account.entry_bar, t, reason
    row.quantity, row.entry, row.exit = account.quantity, account.entry, fill
    row.pnl = gain - account.fees + account.funding
    row.fees = account.fees + fee
    row.funding = account.funding
    row.stop, row.r = account.first_stop, row.pnl / account.risk
    best, worst = max(account.highest, fill) / account.entry - 1, min(account.lowest, fill) / account.entry - 1
    row.mfe, row.mae = (best, worst) if account.side > 0 else (-worst, -best)


@part
def fail(wrong: int, t: int, value: float, account: Row) -> None:
    """The first thing that makes the simulation stop."""
    if not account.wrong:
        account.wrong, account.bar, account.value = wrong, t, value
