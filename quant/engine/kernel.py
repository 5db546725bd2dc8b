"""The bars, one after the other: what docs/engine.md states, in its order."""

from __future__ import annotations

from typing import Any

from quant.candles import F64
from quant.compiled import compiled, part
from quant.engine.book import Row
from quant.engine.fills import worth
from quant.engine.levels import follow, liquidation, take_nearest
from quant.engine.orders import Bars, Due, Wants, enter, known, leave
from quant.engine.result import Reason
from quant.engine.spec import Rules

SIGNAL, TARGET, END = int(Reason.SIGNAL), int(Reason.TARGET), int(Reason.END)


@compiled
def walk(
    bars: Bars, wants: Wants, due: Due, rules: Rules, accounts: Any, rows: Any, equity: F64, position: F64
) -> None:
    """Simulate from where the account stands, writing each bar's equity and position and each trade's row."""
    account = accounts[0]
    paid = 0
    last = len(bars.open) - 1
    for t in range(last + 1):
        if due.bar[paid] == t:
            pay(due.rate[paid], bars.open[t], rules, account)
            paid += 1
        if t and wants.side[t - 1] != account.answered:
            answer(t, bars, wants, rules, account, rows)
        if account.side:
            look(t, bars, rules, account, rows)
        mark(t, bars.close[t], rules, account, equity, position)
        if account.wrong:
            return
    if account.side:
        leave(last, bars.close[last], END, rules, account, rows)
        equity[last] = account.cash


@part
def pay(rate: float, price: float, rules: Rules, account: Row) -> None:
    """Funding: longs pay shorts while the rate is above 0. What is left decides where the liquidation is."""
    if account.side:
        amount = -account.side * rate * account.size * abs(worth(price, rules))
        account.funding += amount
        account.cash += amount
        account.liquidation = liquidation(account, rules)
        take_nearest(account)


@part
def answer(t: int, bars: Bars, wants: Wants, rules: Rules, account: Row, rows: Any) -> None:
    """The side wanted at the last close is another: out at this open, then in. An entry whose size or levels cannot be
    known yet waits; any other is answered once."""
    side = wants.side[t - 1]
    if account.side:
        leave(t, bars.open[t], SIGNAL, rules, account, rows)
    account.answered = 0
    if side and known(t - 1, wants, rules):
        account.answered = side
        enter(t, side, wants, bars, rules, account)


@part
def look(t: int, bars: Bars, rules: Rules, account: Row, rows: Any) -> None:
    """Whether this bar ends the position: at the open what the open is beyond; then the losing side comes first."""
    side, price = account.side, bars.open[t]
    against, along = (bars.low[t], bars.high[t]) if side > 0 else (bars.high[t], bars.low[t])
    if side * price <= side * account.level:
        leave(t, price, account.reason, rules, account, rows)
    elif side * price >= side * account.target:
        leave(t, price, TARGET, rules, account, rows)
    elif side * against <= side * account.level:
        leave(t, account.level, account.reason, rules, account, rows)
    elif side * along >= side * account.target:
        leave(t, account.target, TARGET, rules, account, rows)
    else:
        follow(bars.high[t], bars.low[t], account, rules)


@part
def mark(t: int, close: float, rules: Rules, account: Row, equity: F64, position: F64) -> None:
    """What there is at the close."""
    equity[t] = account.cash
    position[t] = 0.0
    if account.side:
        equity[t] += account.side * account.size * (worth(close, rules) - account.entry_value)
        position[t] = account.side * account.quantity
