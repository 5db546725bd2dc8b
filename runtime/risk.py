"""How large a position may be, and what it earns. Pure: numbers in, an explained result out.

Quantities are worked out exactly (`runtime.ratio`) from the decimal numbers that were given: rounding down to a step
can then never cost more than the risk that was wanted. Prices are in the symbol's quote currency, money is in USD.

Two kinds of contract:
- `linear` (USDT-M, CFD): one unit is `contract_value` units of the underlying (1 when not given), profit is in USD.
- `inverse` (COIN-M): margin and profit are in the coin. One contract is worth `contract_value` USD; when that is not
  given, the quantity is in coins at the entry price. Between two prices N contracts of V USD earn
  N * V * (1/entry - 1/exit) coins (exchanges' COIN-M specification); at the exit price those are worth
  N * V * (exit - entry) / entry USD.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Literal

from runtime.fixed import fixed
from runtime.payload import Invalid, Json
from runtime.ratio import Ratio, exact

Contract = Literal["linear", "inverse"]
Side = Literal["LONG", "SHORT"]

LARGEST = 1e15  # as in the ledger: beyond this a price or an amount is a mistake
NOTHING, ONE = Ratio(0), Ratio(1)
NEAREST = Ratio(1, 100_000)  # of the price: a stop nearer than this is inside any spread
PERCENT_FROM = 0.1
MOST_PERCENT = 20.0
MANY_TIMES = 20  # times the equity: worth a warning


@dataclass(frozen=True, slots=True)
class Account:
    """What an engine may risk. `risk_pct` is in percent, `qty_step` and `min_qty` in units of the quantity.

    `tick_size` None: the nearest stop is a fixed part of the price. Raises Invalid naming the field.
    """

    equity: float
    risk_pct: float
    qty_step: float
    min_qty: float = 0.0
    contract: Contract = "linear"
    contract_value: float | None = None
    max_leverage: float | None = 50.0
    tick_size: float | None = None
    min_stop_ticks: float = 1.0

    def __post_init__(self) -> None:
        for name in ("equity", "risk_pct", "qty_step", "contract_value", "max_leverage", "tick_size"):
            value = getattr(self, name)
            if value is not None and not _is_amount(value):
                raise Invalid(name, f"{value!r} is not a number above 0 and at most {LARGEST:g}")
        for name in ("min_qty", "min_stop_ticks"):
            if not _is_amount(getattr(self, name)) and getattr(self, name) != 0:
                raise Invalid(name, "expected 0 or a number above 0")
        if self.risk_pct > MOST_PERCENT:
            raise Invalid("risk_pct", f"{self.risk_pct:g} % of the equity on one trade; at most {MOST_PERCENT:g} %")
        if self.contract not in ("linear", "inverse"):
            raise Invalid("contract", "expected linear or inverse")


@fixed
class Position:
    """What an alert is sized to: `qty` in the units the account trades, `size` in those of the underlying.

    `risk_usd` is what may be lost at the stop, `risk_real_usd` what is, once the quantity has been rounded.
    """

    side: Side
    qty: float
    size: float
    risk_usd: float
    risk_real_usd: float


@fixed
class Steps:
    """What a quote was made from: units of the underlying in one of the quantity, and what that one loses in USD."""

    account: Account
    per_unit: float
    unit_loss: float


@fixed
class Quote:
    """A position that fits the account, and how it came about.

    `size` is in units of the underlying (oz, coins), `qty` in the units the account trades; `rr` None: no target.
    """

    side: Side
    risk_usd: float
    risk_real_usd: float
    distance: float
    qty_raw: float
    qty: float
    size: float
    notional: float
    leverage: float
    margin: float
    rr: float | None
    warnings: tuple[str, ...]
    steps: Steps

    @property
    def explain(self) -> str:
        """How the quantity came about, in words; told when somebody asks, which an alert does not."""
        a, loss = self.steps.account, f"{self.distance:g} x {self.steps.per_unit:g}"
        return (
            f"{a.equity:g} USD x {a.risk_pct:g} % = {self.risk_usd:g} USD; one unit loses {loss} = "
            f"{self.steps.unit_loss:g} USD at the stop; {self.qty_raw:.9g} units, "
            f"down to a step of {a.qty_step:g}: {self.qty:g}"
        )

    def shown(self) -> Json:
        told = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("warnings", "steps")}
        return told | {"explain": self.explain, "warnings": list(self.warnings)}


@dataclass(frozen=True, slots=True)
class Pnl:
    """Profit in USD; for inverse contracts also in the coin, which is what the account is paid in."""

    usd: float
    coin: float | None


def percent(value: float) -> float:
    """A risk setting in percent: below 0.1 it was a fraction (0.01 is 1 %), from there on it is percent (1 is 1 %)."""
    return float(exact(value) * Ratio(100)) if value < PERCENT_FROM else value


def quote(account: Account, price: float, sl: float, tp: float | None = None, *, side: Side | None = None) -> Quote:
    """The largest position that loses at most the wanted risk at the stop.

    `side` None: the stop tells it (below the price is LONG). `tp` 0 or None: none. Raises Invalid naming the field.
    """
    return _sizing(account, price, sl, tp, side).quote(tp)


def position(
    account: Account, price: float, sl: float, tp: float | None = None, *, side: Side | None = None
) -> Position:
    """What `quote` comes to, without how. Raises what it raises."""
    return _sizing(account, price, sl, tp, side).position()


def check_levels(side: Side, price: float, sl: float | None, tp: float | None) -> None:
    """A stop stands on the losing side of the price, a target on the winning one; 0 or None is none. Raises Invalid."""
    for name, level, above in (("sl", sl, side == "SHORT"), ("tp", tp, side == "LONG")):
        if not level:
            continue
        _positive(name, level)
        if level == price or (level > price) is not above:
            where = "above" if above else "below"
            raise Invalid(name, f"{level:g} must be {where} the price {price:g} for a {side}")


def pnl(account: Account, side: Side, entry: float, exit_price: float, qty: float) -> Pnl:
    """What `qty` earned between two prices, before fees. Raises Invalid naming the field."""
    for name, level in (("entry", entry), ("exit", exit_price), ("qty", qty)):
        _positive(name, level)
    start, end = exact(entry), exact(exit_price)
    usd = _size(account, exact(qty), start) * (end - start if side == "LONG" else start - end)
    return Pnl(float(usd), float(usd / end) if account.contract == "inverse" else None)


@dataclass(frozen=True, slots=True)
class _Terms:
    """An account's own numbers, exact. `nearest` and `most` (of the notional) None: not given."""

    equity: Ratio
    wanted: Ratio
    step: Ratio
    least: Ratio
    most: Ratio | None
    nearest: Ratio | None


@lru_cache(maxsize=256)  # an account's numbers come again with each alert, prices do not
def _terms(account: Account) -> _Terms:
    equity, cap, tick = exact(account.equity), account.max_leverage, account.tick_size
    return _Terms(
        equity=equity,
        wanted=equity * exact(account.risk_pct) / Ratio(100),
        step=exact(account.qty_step),
        least=exact(account.min_qty),
        most=None if cap is None else equity * exact(cap),
        nearest=None if tick is None else exact(tick) * exact(account.min_stop_ticks),
    )


def _sizing(account: Account, price: float, sl: float, tp: float | None, side: Side | None) -> _Sizing:
    for name, level in (("price", price), ("sl", sl)):
        _positive(name, level)
    side = side or ("LONG" if sl < price else "SHORT")
    check_levels(side, price, sl, tp)
    return _Sizing(account, side, exact(price), exact(sl))


class _Sizing:
    """A position's exact numbers. Raises Invalid when its stop is too near."""

    __slots__ = ("account", "distance", "entry", "per_unit", "qty", "raw", "side", "size", "terms", "within")

    def __init__(self, account: Account, side: Side, entry: Ratio, sl: Ratio) -> None:
        terms = _terms(account)
        distance = abs(entry - sl)
        least = entry * NEAREST if terms.nearest is None else terms.nearest
        if distance < least:
            raise Invalid("sl", f"{float(distance):g} away from the price; at least {float(least):g} is needed")
        largest = terms.wanted / distance  # in units of the underlying
        allowed = largest
        if terms.most is not None and terms.most < largest * entry:
            allowed = terms.most / entry
        per_unit = ONE if account.contract_value is None else _size(account, ONE, entry)  # in one unit of quantity
        raw, within = (largest, allowed) if per_unit is ONE else (largest / per_unit, allowed / per_unit)
        qty = Ratio(within // terms.step) * terms.step
        if not qty.over or qty < terms.least:
            qty = NOTHING
        self.account, self.side, self.terms, self.entry, self.distance = account, side, terms, entry, distance
        self.per_unit, self.raw, self.within = per_unit, raw, within
        self.qty, self.size = qty, qty if per_unit is ONE else qty * per_unit

    def position(self) -> Position:
        size = float(self.size)
        qty = size if self.size is self.qty else float(self.qty)
        return Position(self.side, qty, size, float(self.terms.wanted), float(self.size * self.distance))

    def quote(self, tp: float | None) -> Quote:
        notional = self.size * self.entry
        leverage = float(notional / self.terms.equity)
        return Quote(
            side=self.side,
            risk_usd=float(self.terms.wanted),
            risk_real_usd=float(self.size * self.distance),
            distance=float(self.distance),
            qty_raw=float(self.raw),
            qty=float(self.qty),
            size=float(self.size),
            notional=float(notional),
            leverage=leverage,
            margin=float(notional / exact(self.account.max_leverage or 1.0)),
            rr=float(abs(exact(tp) - self.entry) / self.distance) if tp else None,
            warnings=tuple(self._warnings(notional, leverage)),
            steps=Steps(self.account, float(self.per_unit), float(self.distance * self.per_unit)),
        )

    def _warnings(self, notional: Ratio, leverage: float) -> Iterator[str]:
        account = self.account
        if self.within < self.raw:
            yield f"held to {account.max_leverage:g} times the equity: less is risked than wanted"
        if not self.qty.over:
            least = max(account.min_qty, account.qty_step)
            yield f"{float(self.within):.6g} is below the smallest quantity {least:g}: not sized"
        if Ratio(MANY_TIMES) * self.terms.equity < notional:
            yield f"the position is {leverage:.3g} times the equity"


def _size(account: Account, qty: Ratio, entry: Ratio) -> Ratio:
    """Units of the underlying in `qty`."""
    if account.contract_value is None:
        return qty
    value = qty * exact(account.contract_value)
    return value / entry if account.contract == "inverse" else value


def _positive(name: str, value: float) -> None:
    if not _is_amount(value):
        raise Invalid(name, f"expected a number above 0 and at most {LARGEST:g}")


def _is_amount(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 1e-12 <= value <= LARGEST  # type: ignore[arg-type,operator]
