"""What may be told to the ledger. Pure: values in, one event out, or Invalid naming the field."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runtime import clock, engines, payload
from runtime.payload import Invalid, Json

SIDES = ("LONG", "SHORT")
TYPES = ("OPEN", "CLOSE", "UPDATE")
# Prices, quantities and amounts beyond this are a sender's mistake; their products stay finite below it.
LARGEST = 1e15
_MILLISECONDS = 1e11  # an epoch above this (year 5138 in seconds) is in milliseconds


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


@dataclass(frozen=True, slots=True)
class Close:
    """A trade ends at `exit_price`."""

    trade_id: str
    exit_price: float
    ts: str


@dataclass(frozen=True, slots=True)
class Update:
    """The market's price while a trade is open."""

    trade_id: str
    mark: float
    ts: str


Event = Open | Close | Update


def of_test_engine(data: Json) -> bool:
    """True when the event names a test engine: such events never enter the ledger."""
    engine = data.get("engine")
    return isinstance(engine, str) and engines.is_test(engine.strip())


def read(data: Json, received: datetime) -> Event:
    """The event in a checked object. `received` stands in for an absent `ts`. Raises Invalid."""
    kind = payload.choice(data, "type", TYPES)
    ts = clock.iso(_moment(data, received))
    if kind == "OPEN":
        return _open(data, ts)
    trade_id = payload.label(data, "trade_id", limit=128)
    if kind == "CLOSE":
        return Close(trade_id, _amount(data, "exit"), ts)
    return Update(trade_id, _amount(data, "mark"), ts)


def _open(data: Json, ts: str) -> Open:
    meta = data.get("meta") or {}
    if not isinstance(meta, dict):
        raise Invalid("meta", "expected an object")
    opened = Open(
        trade_id=_trade_id(data),
        engine=payload.label(data, "engine"),
        symbol=payload.label(data, "symbol"),
        side=payload.choice(data, "side", SIDES),
        entry=_amount(data, "entry"),
        qty=_amount(data, "qty"),
        stop=_optional(data, "stop"),
        risk_usd=_optional(data, "risk_usd"),
        ts=ts,
        meta=meta,
    )
    _check_stop(opened)
    return opened


def _trade_id(data: Json) -> str:
    if data.get("trade_id") is None:
        return secrets.token_hex(8)
    return payload.label(data, "trade_id", limit=128)


def _check_stop(opened: Open) -> None:
    if opened.stop is None:
        return
    below = opened.side == "LONG"
    if opened.stop == opened.entry or (opened.stop < opened.entry) is not below:
        side = "below" if below else "above"
        raise Invalid("stop", f"{opened.stop:g} must be {side} the entry {opened.entry:g} for a {opened.side}")


def _amount(data: Json, name: str) -> float:
    value = payload.number(data, name, required=True)
    if value is None or not 0 < value <= LARGEST:
        raise Invalid(name, f"expected a number above 0 and at most {LARGEST:g}")
    return value


def _optional(data: Json, name: str) -> float | None:
    """0 or null: unknown."""
    value = payload.number(data, name)
    if not value:
        return None
    if not 0 < value <= LARGEST:
        raise Invalid(name, f"expected 0 for unknown, or a number up to {LARGEST:g}")
    return value


def _moment(data: Json, received: datetime) -> datetime:
    """`ts` as ISO 8601 with an offset (or Z), or as an epoch in seconds or milliseconds."""
    value = data.get("ts")
    if value is None:
        return received
    try:
        if isinstance(value, str):
            return clock.from_iso(value.strip())
        seconds = payload.number(data, "ts") or math.nan
        return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid("ts", "expected ISO 8601 with an offset, or an epoch in seconds or milliseconds") from None
