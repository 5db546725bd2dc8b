"""Opening and closing a position: where the account's money changes."""

from __future__ import annotations

import numpy as np

from quant.compiled import part
from quant.engine.book import Account, Moment, Row
from quant.engine.fills import gap, market, worth
from quant.engine.levels import away, distance, liquidation, take_nearest
from quant.engine.result import Reason
from quant.engine.sizes import LARGEST, quantity, unit
from quant.engine.spec import VOLATILITY, Rules

TOO_LARGE, NO_PRICE, BAD_DISTANCE = 1, 2, 3
"""Why a simulation cannot go on."""
TARGET = int(Reason.TARGET)


@part
def known(now: Moment, rules: Rules) -> bool:
    """Whether there is what a position is sized and left by: until then the signal waits."""
    by_atr = rules.stop_atr > 0 or rules.target_atr > 0 or rules.trailing_atr > 0
    return (now.atr > 0 or not by_atr) and (now.volatility > 0 or rules.mode != VOLATILITY)


@part
def enter(now: Moment, rules: Rules, account: Account) -> None:
    """Open at this open what was wanted at the last close, with its levels; or count it as refused."""
    fill = market(now.price, now.wanted, rules)
    apart = set_levels(fill, now, rules, account)
    found = quantity(fill, apart, account.first_stop, now.volatility, account.cash, rules)
    if found > LARGEST or not fill > 0:
        account.wrong, account.bar, account.value = (TOO_LARGE if fill > 0 else NO_PRICE), now.bar, found
    elif found > 0:
        hold(fill, found, now, rules, account)
    else:
        account.refused += 1


@part
def set_levels(fill: float, now: Moment, rules: Rules, account: Account) -> float:
    """Stop, trailing stop and target of a fill. Returns how far the first stop is, nan without one."""
    side = now.wanted
    stop = checked(distance(fill, now.atr, rules.stop_atr, rules.stop_part, now.stop), now, account)
    account.distance = distance(fill, now.atr, rules.trailing_atr, rules.trailing_part, np.nan)
    account.stop = away(fill, stop, -side, rules.tick)
    account.trailing = away(fill, account.distance, -side, rules.tick)
    first = side * max(side * account.stop, side * account.trailing)
    account.first_stop = first if 0 < first < np.inf else np.nan
    apart = gap(fill, account.first_stop, rules.tick) if rules.tick > 0 else np.fmin(stop, account.distance)
    gain = rules.target_r * apart if rules.target_r > 0 else now.target
    gain = checked(distance(fill, now.atr, rules.target_atr, rules.target_part, gain), now, account)
    account.target = away(fill, gain, side, rules.tick)
    return apart


@part
def checked(distance: float, now: Moment, account: Account) -> float:
    if distance <= 0 or distance == np.inf:
        account.wrong, account.bar, account.value = BAD_DISTANCE, now.bar - 1, distance
    return distance


@part
def hold(fill: float, found: float, now: Moment, rules: Rules, account: Account) -> None:
    """The position is there, and its entry's fee is paid."""
    account.side, account.quantity, account.entry, account.entry_bar = now.wanted, found, fill, now.bar
    account.size = found * unit(fill, rules)
    account.entry_value = worth(fill, rules)
    account.risk = account.size * abs(worth(account.first_stop, rules) - account.entry_value)
    account.fees = rules.taker * account.size * abs(account.entry_value)
    account.cash -= account.fees
    account.funding = 0.0
    account.best = account.worst = account.side * fill
    account.liquidation = liquidation(account, rules)
    take_nearest(account)


@part
def leave(bar: int, price: float, rules: Rules, account: Account, row: Row) -> None:
    """Close the position for the account's `reason`: at the target as a maker, else at market."""
    at_target = account.reason == TARGET
    fill = price if at_target else market(price, -account.side, rules)
    if not fill > 0:
        account.wrong, account.bar = NO_PRICE, bar
    value = worth(fill, rules)
    fee = (rules.maker if at_target else rules.taker) * account.size * abs(value)
    gain = account.side * account.size * (value - account.entry_value) - fee
    gain = max(gain, -account.cash)  # an account cannot go below zero: what is lost beyond it is the exchange's
    write(bar, fill, gain, fee, account, row)
    account.cash += gain
    account.trades += 1
    account.side = 0


@part
def write(bar: int, fill: float, gain: float, fee: float, account: Account, row: Row) -> None:
    """A trade's row."""
    row.side, row.entry_bar, row.exit_bar, row.reason = account.side, account.entry_bar, bar, account.reason
    row.quantity, row.entry, row.exit, row.stop = account.quantity, account.entry, fill, account.first_stop
    row.fees, row.funding = account.fees + fee, account.funding
    row.pnl = gain - account.fees + account.funding
    row.r = row.pnl / account.risk
    start = account.side * account.entry
    row.mfe = (max(account.best, account.side * fill) - start) / account.entry
    row.mae = (min(account.worst, account.side * fill) - start) / account.entry
