"""What may be told to the ledger. Pure: values in, one event out, or Invalid naming the field."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from runtime import clock, engines, moment, payload
from runtime.payload import Invalid, Json

SIDES = ("LONG", "SHORT")
TYPES = ("OPEN", "CLOSE", "UPDATE")
CONTRACTS = ("LINEAR", "INVERSE")
# What is beyond these is a sender's mistake; within them every product and quotient stays finite.
LARGEST = 1e15
SMALLEST = 1e-15


@dataclass(frozen=True, slots=True)
class Open:
    """A trade begins. `stop` None: unknown. `risk_usd` None: to be worked out from the stop."""

    trade_id: str
    engine: str
    symbol: str
    side: str
    entry: float
    qty: float
    stop: float | None
    risk_usd: float | None
    ts: str
    meta: Json = field(default_factory=dict)
    contract: str = "linear"
    contract_value: float = 1.0
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """A trade, or `qty` of it, ends at `exit_price`. `trade_id` None: the only open one of `engine` on `symbol`."""

    trade_id: str | None
    exit_price: float
    ts: str
    qty: float | None = None
    engine: str | None = None
    symbol: str | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """The market's price while a trade is open."""

    trade_id: str
    mark: float
    ts: str
    event_id: str | None = None


Event = Open | Close | Update


def of_test_engine(data: Json) -> bool:
    """True when the event names a test engine: such events never enter the ledger."""
    engine = data.get("engine")
    return isinstance(engine, str) and engines.is_test(engine.strip())


def read(data: Json, received: datetime) -> Event:
    """The event in a checked object. `received` stands in for an absent `ts`. Raises Invalid."""
    kind = payload.choice(data, "type", TYPES)
    ts, event_id = clock.iso(moment.of_event(data, received)), _name(data, "event_id")
    if kind == "OPEN":
        return _open(data, ts, event_id)
    if kind == "CLOSE":
        return _close(data, ts, event_id)
    return Update(payload.label(data, "trade_id", limit=128), _amount(data, "mark"), ts, event_id)


def _open(data: Json, ts: str, event_id: str | None) -> Open:
    opened = Open(
        trade_id=_name(data, "trade_id") or secrets.token_hex(8),
        engine=payload.label(data, "engine"),
        symbol=payload.label(data, "symbol"),
        side=payload.choice(data, "side", SIDES),
        entry=_amount(data, "entry"),
        qty=_amount(data, "qty"),
        stop=_optional(data, "stop"),
        risk_usd=_optional(data, "risk_usd"),
        ts=ts,
        meta=_meta(data),
        contract=_contract(data),
        contract_value=_optional(data, "contract_value") or 1.0,
        event_id=event_id,
    )
    _check_stop(opened)
    return opened


def _close(data: Json, ts: str, event_id: str | None) -> Close:
    trade_id, exit_price, qty = _name(data, "trade_id"), _amount(data, "exit"), _optional(data, "qty")
    if trade_id is not None:
        return Close(trade_id, exit_price, ts, qty, event_id=event_id)
    if data.get("engine") is None:
        raise Invalid("trade_id", "is missing; engine and symbol do instead when one trade of theirs is open")
    engine, symbol = payload.label(data, "engine"), payload.label(data, "symbol")
    return Close(None, exit_price, ts, qty, engine, symbol, event_id)


def _name(data: Json, field: str) -> str | None:
    return None if data.get(field) is None else payload.label(data, field, limit=128)


def _meta(data: Json) -> Json:
    meta = data.get("meta") or {}
    if not isinstance(meta, dict):
        raise Invalid("meta", "expected an object")
    return meta


def _contract(data: Json) -> str:
    return "linear" if data.get("contract") is None else payload.choice(data, "contract", CONTRACTS).lower()


def _check_stop(opened: Open) -> None:
    if opened.stop is None:
        return
    below = opened.side == "LONG"
    if opened.stop == opened.entry or (opened.stop < opened.entry) is not below:
        side = "below" if below else "above"
        raise Invalid("stop", f"{opened.stop:g} must be {side} the entry {opened.entry:g} for a {opened.side}")


def _amount(data: Json, name: str) -> float:
    value = payload.number(data, name, required=True)
    if value is None or not SMALLEST <= value <= LARGEST:
        raise Invalid(name, f"expected a number from {SMALLEST:g} to {LARGEST:g}")
    return value


def _optional(data: Json, name: str) -> float | None:
    """0 or null: unknown."""
    value = payload.number(data, name)
    if not value:
        return None
    if not SMALLEST <= value <= LARGEST:
        raise Invalid(name, f"expected 0 or null for none, or a number from {SMALLEST:g} to {LARGEST:g}")
    return value
