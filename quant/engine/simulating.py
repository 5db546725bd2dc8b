"""Candles and signals in, a Result out: the kernel with what it reads laid out, and its failures in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from quant.candles import F64, I64, Candles
from quant.engine.book import ACCOUNT, MOMENT, Closed, Scratch, closed, trades
from quant.engine.kernel import Bars, Due, Wants, walk
from quant.engine.orders import NO_PRICE, TOO_LARGE
from quant.engine.result import Result, Trades
from quant.engine.spec import NOTHING, RULES, Spec
from quant.errors import QuantError, StrategyFailed, UsageError
from quant.strategy import Signals

NEVER = -1
"""The bar of a funding that does not come."""


class Rates(Protocol):
    """Funding rates as stored: `time` int64, milliseconds since 1970 in UTC; `rate` float64, a part of the value."""

    @property
    def time(self) -> I64: ...

    @property
    def rate(self) -> F64: ...


def simulate(
    candles: Candles, signals: Signals, spec: Spec, funding: Rates | None = None, scratch: Scratch | None = None
) -> Result:
    """What the account does when each signal is filled at the next bar's open (docs/engine.md has the exact rules).

    With a `scratch`, the Result's equity and position are views of it: they hold until it is used again. Raises
    StrategyFailed for a distance that is not above 0, UsageError for a size beyond what can be.
    """
    n = len(candles)
    scratch = scratch or Scratch(n)
    if len(scratch) < n:
        raise ValueError(f"scratch for {len(scratch)} bars, {n} are needed")
    equity, position = scratch.equity[:n], scratch.position[:n]
    simulation = Simulation(candles, signals, spec, funding, scratch.rows)
    simulation.walk(n, equity, position)
    return Result(candles, spec.initial, equity, position, simulation.trades, simulation.refused)


class Simulation:
    """One that goes on where it stood: its bars in blocks are the same bars, to the last bit. `rows`: where its trades
    are written, at most one for each bar."""

    def __init__(
        self, candles: Candles, signals: Signals, spec: Spec, funding: Rates | None, rows: NDArray[Any]
    ) -> None:
        self._candles, self._rows = candles, rows
        self._account, self._moment = np.zeros(1, ACCOUNT), np.zeros(1, MOMENT)
        self._account["cash"] = spec.initial
        bars = Bars(candles.open, candles.high, candles.low, candles.close)
        known = (bars, _wants(signals, spec), _due(candles, funding), np.array([spec.rules], RULES))
        self.given = (*known, self._account, self._moment, rows)
        """What `walk` needs to know, before what it is to do."""

    def walk(self, until: int, equity: F64, position: F64, base: int = 0) -> None:
        """From where it stands to bar `until`; bar t's equity and position go to t - `base`. Raises as `simulate`."""
        walk(*self.given, equity, position, base, until)
        self.check()

    def check(self) -> None:
        """Raises as `simulate` does if something was wrong so far: no bar was walked after it."""
        _check(self._candles, self._account[0])

    @property
    def trades(self) -> Trades:
        """Those that were closed so far."""
        return trades(self._written)

    @property
    def closed(self) -> Closed:
        """What measures need of them."""
        return closed(self._written)

    @property
    def _written(self) -> NDArray[Any]:
        return self._rows[: int(self._account["trades"][0])]

    @property
    def refused(self) -> int:
        return int(self._account["refused"][0])


def _wants(signals: Signals, spec: Spec) -> Wants:
    columns = (signals.stop, signals.target, spec.atr, spec.volatility)
    stop, target, atr, volatility = (NOTHING if one is None else _read_only(one) for one in columns)
    return Wants(_read_only(signals.side), stop, target, atr, volatility)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Arrays that may be written to are another type to the compiler."""
    view = array.view()
    view.flags.writeable = False
    return view


def _due(candles: Candles, funding: Rates | None) -> Due:
    """Each funding at the first bar that opens then or later; those of one bar together."""
    if funding is None or not len(funding.time):
        return NO_FUNDING
    bar = np.searchsorted(candles.time, funding.time, side="left")
    inside = (funding.time > candles.time[0]) & (bar < len(candles))
    bars, which = np.unique(bar[inside], return_inverse=True)
    rates = np.bincount(which, funding.rate[inside], len(bars))
    return Due(_read_only(np.append(bars, NEVER)), _read_only(np.append(rates, 0.0)))


NO_FUNDING = Due(_read_only(np.array([NEVER])), _read_only(np.zeros(1)))


def _check(candles: Candles, account: Any) -> None:
    if account["wrong"]:
        raise _failure(int(account["wrong"]), float(account["value"]), _moment(candles, int(account["bar"])))


def _failure(wrong: int, value: float, when: str) -> QuantError:
    if wrong == TOO_LARGE:
        hint = "lower sizing and account.equity, or instrument.max_leverage"
        return UsageError(
            f"a position of {value:.3g} units was asked for on {when}: that is beyond anything", hint=hint
        )
    if wrong == NO_PRICE:
        return UsageError(f"slippage takes the price to {value:g} on {when}", hint="lower costs.slippage_ticks")
    hint = "distances are in prices, above 0; nan is none"
    return StrategyFailed(f"a stop or target {value:g} away from the price was asked for on {when}", hint=hint)


def _moment(candles: Candles, bar: int) -> str:
    return f"{datetime.fromtimestamp(int(candles.time[bar]) / 1000, UTC):%Y-%m-%d %H:%M} (bar {bar})"
