"""The bars, one after the other: what docs/engine.md states, in its order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from quant.candles import F64, I8, I64
from quant.compiled import compiled_lean, part, part_inlined
from quant.engine.book import Account, Moment, Row
from quant.engine.fills import worth
from quant.engine.levels import liquidation, take_nearest, trail
from quant.engine.orders import enter, known, leave
from quant.engine.result import Reason
from quant.engine.spec import Rules

TOGETHER = 8
"""Bars that are looked at as one."""
U = np.uint64
"""Places are unsigned: numba would ask of each signed one whether it counts from the end."""
SIGNAL, TARGET, END = int(Reason.SIGNAL), int(Reason.TARGET), int(Reason.END)


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


@compiled_lean
def walk(
    bars: Bars, wants: Wants, due: Due, all_rules: Any, accounts: Any, moments: Any, rows: Any, equity: F64,
    position: F64, base: int, until: int,
) -> None:  # fmt: skip
    """Simulate from where the account stands to bar `until`, writing each bar's equity and position (bar `base` first)
    and each trade's row. After the last bar there is, what is held is closed."""
    rules, account, now = all_rules[0], accounts[0], moments[0]
    account.due = due.bar[account.paid]
    t = account.bar
    while t < until and not account.wrong:
        if t == account.due or (t and wants.side[t - 1] != account.answered):
            recall(t, bars.open, wants, due, account, now)
            begin(now, rules, account, rows[account.trades])
            account.due = due.bar[account.paid]
        stop = account.due if t < account.due < until else until
        if account.side:
            t = carry(t, stop, bars, wants.side, rules, account, rows[account.trades], equity, position, base)
        else:
            t = rest(t, stop, wants.side, account, equity, position, base)
    if account.wrong:
        return
    account.bar = t
    if account.side and t == len(bars.open):
        account.reason = END
        leave(t - 1, bars.close[t - 1], rules, account, rows[account.trades])
        equity[t - 1 - base] = account.cash


@part_inlined
def recall(t: int, price: F64, wants: Wants, due: Due, account: Account, now: Moment) -> None:
    """What is known as bar t begins."""
    now.bar, now.price, now.wanted, now.rate = t, price[t], 0, 0.0
    now.stop = now.target = now.atr = now.volatility = np.nan
    if t == account.due:
        now.rate = due.rate[account.paid]
        account.paid += 1
    if t:
        now.wanted = wants.side[t - 1]
        if len(wants.stop):
            now.stop = wants.stop[t - 1]
        if len(wants.target):
            now.target = wants.target[t - 1]
        if len(wants.atr):
            now.atr = wants.atr[t - 1]
        if len(wants.volatility):
            now.volatility = wants.volatility[t - 1]


@part
def begin(now: Moment, rules: Rules, account: Account, row: Row) -> None:
    """What happens at a bar's open: funding on what was held until then, then the last close's signal."""
    if account.side and now.rate != 0:
        pay(now, rules, account)
    if now.wanted != account.answered:
        answer(now, rules, account, row)


@part
def pay(now: Moment, rules: Rules, account: Account) -> None:
    """Funding: longs pay shorts while the rate is above 0. What is left decides where the liquidation is."""
    amount = -account.side * now.rate * account.size * abs(worth(now.price, rules))
    account.funding += amount
    account.cash += amount
    account.liquidation = liquidation(account, rules)
    take_nearest(account)


@part
def answer(now: Moment, rules: Rules, account: Account, row: Row) -> None:
    """The side wanted at the last close is another: out at this open, then in. An entry whose size or levels cannot be
    known yet waits; any other is answered once."""
    if account.side:
        account.reason = SIGNAL
        leave(now.bar, now.price, rules, account, row)
    account.answered = 0
    if now.wanted and known(now, rules):
        account.answered = now.wanted
        enter(now, rules, account)


@part_inlined
def rest(t: int, until: int, wanted: I8, account: Account, equity: F64, position: F64, base: int) -> int:
    """Bars without a position, from t to the next one that begins with something to do: returns that."""
    cash, answered = account.cash, account.answered
    while t + TOGETHER <= until:
        here, there, busy = U(t), U(t - base), False
        for i in range(U(TOGETHER)):
            equity[there + i], position[there + i] = cash, 0.0
            busy |= wanted[here + i] != answered
        if busy:
            break
        t += TOGETHER
    while t < until:
        equity[t - base], position[t - base] = cash, 0.0
        t += 1
        if wanted[t - 1] != answered:
            return t
    return t


@part_inlined
def carry(
    t: int, until: int, bars: Bars, wanted: I8, rules: Rules, account: Account, row: Row, equity: F64, position: F64,
    base: int,
) -> int:  # fmt: skip
    """Bars with the position, from t to the next one that begins with something to do, or after the one that ends it.

    Prices times the side: then more is better for either side.
    """
    side, answered = float(account.side), account.answered
    level, target, best, worst = side * account.level, side * account.target, account.best, account.worst
    scale, held = side * account.size, side * account.quantity
    cash = account.cash - scale * account.entry_value
    if not account.distance > 0:
        t, worst, best = glide(
            t, until, bars, wanted, answered, side, level, target, worst, best, cash, scale, held, rules, equity,
            position, base,
        )  # fmt: skip
        account.worst, account.best = worst, best
        if t == until:
            return t
    while True:
        low, high = side * bars.low[t], side * bars.high[t]
        against, along = min(low, high), max(low, high)
        if not (against > level and along < target):
            break
        worst = min(worst, against)
        if along > best:
            best = account.best = along
            if account.distance > 0:
                trail(account, rules)
                level = side * account.level
        equity[t - base], position[t - base] = cash + scale * worth(bars.close[t], rules), held
        t += 1
        if t == until or wanted[t - 1] != answered:
            account.worst = worst
            return t
    account.worst = worst
    end(t, bars.open[t], against, rules, account, row)
    equity[t - base], position[t - base] = account.cash, 0.0
    return t + 1


@part_inlined
def glide(
    t: int, until: int, bars: Bars, wanted: I8, answered: int, side: float, level: float, target: float, worst: float,
    best: float, cash: float, scale: float, held: float, rules: Rules, equity: F64, position: F64, base: int,
) -> tuple[int, float, float]:  # fmt: skip
    """The same for levels that stay where they are, several bars at a time, as long as none of them has anything to do:
    loops without a way out are what the processor does side by side. Returns where it stopped, the worst and best."""
    floor, ceiling = (level, target) if side > 0 else (-target, -level)
    lowest, highest = (worst, best) if side > 0 else (-best, -worst)
    while t + TOGETHER <= until:
        here, there, busy = U(t), U(t - base), False
        for i in range(U(TOGETHER)):
            k = here + i
            busy |= (bars.low[k] <= floor) | (bars.high[k] >= ceiling) | (wanted[k] != answered)
        if busy:
            break
        for i in range(U(TOGETHER)):
            equity[there + i], position[there + i] = cash + scale * worth(bars.close[here + i], rules), held
        lowest, highest = min(lowest, -highest_of(bars.low, here, -1.0)), max(highest, highest_of(bars.high, here, 1.0))
        t += TOGETHER
    return (t, lowest, highest) if side > 0 else (t, -highest, -lowest)


@part_inlined
def highest_of(prices: F64, here: U, sign: float) -> float:
    """The highest of eight, each times the sign; compared two by two, so that no comparison waits for all before it."""
    a = max(sign * prices[here], sign * prices[here + U(1)])
    b = max(sign * prices[here + U(2)], sign * prices[here + U(3)])
    c = max(sign * prices[here + U(4)], sign * prices[here + U(5)])
    d = max(sign * prices[here + U(6)], sign * prices[here + U(7)])
    found: float = max(max(a, b), max(c, d))
    return found


@part
def end(t: int, price: float, against: float, rules: Rules, account: Account, row: Row) -> None:
    """The bar reaches a level: at the open what the open is beyond, else at the level; the losing side comes first."""
    side = account.side
    if side * price <= side * account.level:
        leave(t, price, rules, account, row)
    elif side * price < side * account.target and against <= side * account.level:
        leave(t, account.level, rules, account, row)
    else:
        account.reason = TARGET
        leave(t, side * max(side * price, side * account.target), rules, account, row)
