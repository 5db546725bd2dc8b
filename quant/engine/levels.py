"""Where a position ends by itself: stop, trailing stop, liquidation, target."""

from __future__ import annotations

import numpy as np

from quant.compiled import part
from quant.engine.book import Account
from quant.engine.fills import down, price_of
from quant.engine.result import Reason
from quant.engine.spec import Rules

STOP, TRAILING, LIQUIDATION = int(Reason.STOP), int(Reason.TRAILING), int(Reason.LIQUIDATION)


@part
def distance(fill: float, atr: float, of_atr: float, of_price: float, asked: float) -> float:
    """How far from the fill, in prices: as configured, else as the strategy asks; nan for none."""
    if of_atr > 0:
        return of_atr * atr
    if of_price > 0:
        return of_price * fill
    return asked


@part
def away(price: float, distance: float, direction: int, tick: float) -> float:
    """The level so far above (`direction` 1) or below (-1) the price; between two ticks, the farther one. Without a
    distance it is never reached."""
    if not distance > 0:
        return direction * np.inf
    return direction * -down(-direction * price - distance, tick)


@part
def take_nearest(account: Account) -> None:
    """Which of the levels on the losing side comes first; of equal ones, the one that was asked for."""
    side = account.side
    account.level, account.reason = account.stop, STOP
    if side * account.trailing > side * account.level:
        account.level, account.reason = account.trailing, TRAILING
    if side * account.liquidation > side * account.level:
        account.level, account.reason = account.liquidation, LIQUIDATION


@part
def liquidation(account: Account, rules: Rules) -> float:
    """The price at which the equity is the maintenance margin: cash + side x size x (worth - entry's) = maintenance x
    size x |worth|, solved for the worth."""
    sign = -1.0 if rules.inverse else 1.0
    owed = account.side * account.size * account.entry_value - account.cash
    worth = owed / (account.size * (account.side - sign * rules.maintenance))
    return price_of(worth, rules)


@part
def trail(account: Account, rules: Rules) -> None:
    """The trailing stop comes after the best price so far."""
    account.trailing = away(account.side * account.best, account.distance, -account.side, rules.tick)
    take_nearest(account)
