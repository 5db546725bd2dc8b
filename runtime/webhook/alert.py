"""What an alert is, and which ones are refused. Pure: values in, values out."""

from __future__ import annotations

from dataclasses import field
from typing import cast

from runtime import engines, moment, payload
from runtime.fixed import fixed
from runtime.payload import Invalid, Json
from runtime.risk import Side
from runtime.router.bars import Bar, length
from runtime.router.decision import Kind

SIGNALS = ("BUY", "SELL")
KINDS = ("SIGNAL", "OPEN", "UPDATE", "CLOSE", "BAR")
EVERY = "*"
"""Whose trades a BAR without an engine concerns."""
_EDGES = ("high", "low", "close")
_SIDES: dict[str, Side] = {"BUY": "LONG", "SELL": "SHORT"}
FIELDS = ("engine", "signal", "symbol", "tf", "price", "tp", "sl", "reason")


@fixed
class Alert:
    """One TradingView alert. Levels are in the symbol's quote currency; `tp` and `sl` of 0 or None mean none.

    `delivery` is the sender's own `id`, `bar` the bar's time as it was given; both serve to know a repetition.
    """

    engine: str
    signal: str
    symbol: str
    tf: str
    price: float | None
    tp: float | None
    sl: float | None
    reason: str
    kind: Kind = "SIGNAL"
    delivery: str | None = None
    bar: str = ""
    trade_id: str | None = None
    level: float | None = None  # a CLOSE's exit, an UPDATE's mark
    candle: Bar | None = None  # of a BAR
    extra: Json = field(default_factory=dict)

    @property
    def side(self) -> Side | None:
        return _SIDES.get(self.signal)

    @property
    def dedupe_key(self) -> str:
        """Equal for two deliveries of one alert. An `id` counts within its engine only."""
        if self.delivery is not None:
            return f"id\n{self.engine}\n{self.delivery}"
        same = (self.kind, self.engine, self.symbol, self.tf, self.signal, self.trade_id or "", self.bar)
        candle = self.candle
        if candle is None:
            return "\n".join(same)
        return "\n".join((*same, *map(repr, (candle.open, candle.high, candle.low, candle.close))))

    def payload(self) -> Json:
        """The alert as it is stored, shown and journalled: known fields first, then what else the sender gave."""
        return {
            "engine": self.engine,
            "signal": self.signal,
            "symbol": self.symbol,
            "tf": self.tf,
            "price": self.price,
            "tp": self.tp,
            "sl": self.sl,
            "reason": self.reason,
            **self.extra,
        }


def read(data: Json) -> Alert:
    """The alert in a checked object (its key already taken out). Raises Invalid naming the first wrong field."""
    kind = _kind(data)
    if kind == "BAR":
        return _read_bar(data)
    engine = payload.label(data, "engine")
    test = engines.is_test(engine)
    managing = kind in ("UPDATE", "CLOSE")
    alert = Alert(
        engine=engine,
        signal=kind if managing and data.get("signal") is None else payload.choice(data, "signal", SIGNALS),
        symbol=payload.label(data, "symbol"),
        tf="-" if managing and data.get("tf") is None else _timeframe(data),
        price=_price(data, test=test, needed=not managing),
        tp=payload.number(data, "tp"),
        sl=payload.number(data, "sl"),
        reason=payload.text(data, "reason"),
        kind=kind,
        delivery=_name(data, "id"),
        bar=_bar(data),
        trade_id=_name(data, "trade_id"),
        level=_level(data, kind, test=test),
        extra={name: value for name, value in data.items() if name not in FIELDS},
    )
    if not test and not managing:
        _check_levels(alert)
    return alert


def _read_bar(data: Json) -> Alert:
    """A finished bar. Without an engine it concerns the open trades of all; `ts` is when it began."""
    tf = "-" if data.get("tf") is None else _timeframe(data)
    high, low, close = (_price({"price": data.get(name)}, test=False, needed=True, name=name) for name in _EDGES)
    opening = _price({"price": data.get("open")}, test=False, needed=False, name="open")
    began = moment.read(data, "ts" if data.get("ts") is not None else "time")
    return Alert(
        engine=EVERY if data.get("engine") in (None, "") else payload.label(data, "engine"),
        signal="BAR",
        symbol=payload.label(data, "symbol"),
        tf=tf,
        price=close,
        tp=None,
        sl=None,
        reason=payload.text(data, "reason"),
        kind="BAR",
        delivery=_name(data, "id"),
        bar=_bar(data),
        trade_id=_name(data, "trade_id"),
        level=close,
        candle=Bar(high or 0.0, low or 0.0, close or 0.0, opening, began, length(tf)),
        extra={name: value for name, value in data.items() if name not in FIELDS},
    )


def _kind(data: Json) -> Kind:
    if data.get("event_type") is None:
        return "SIGNAL"
    return cast(Kind, payload.choice(data, "event_type", KINDS))


def _name(data: Json, field: str) -> str | None:
    """A name, or a whole number that stands for one; None when absent, null or empty."""
    value = data.get(field)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:128]
    return payload.label(data, field, limit=128)


def _bar(data: Json) -> str:
    """`ts` or `time` as given: only its being equal matters."""
    for name in ("ts", "time"):
        value = data.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)[:64]
    return ""


def _timeframe(data: Json) -> str:
    """`60`, `"60"`, `"1H"` and `"M5"` all name a time frame."""
    value = data.get("tf")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{payload.number(data, 'tf'):.15g}"
    return payload.label(data, "tf", limit=32)


def _level(data: Json, kind: Kind, *, test: bool) -> float | None:
    """Where a CLOSE ends or an UPDATE marks: its own field, else the price."""
    if kind not in ("CLOSE", "UPDATE"):
        return None
    name = "exit" if kind == "CLOSE" else "mark"
    name = "price" if data.get(name) is None and data.get("price") is not None else name
    return _price({"price": data.get(name)}, test=test, needed=True, name=name)


def _price(data: Json, *, test: bool, needed: bool, name: str = "price") -> float | None:
    if (test and "price" in data) or not (needed or data.get("price") is not None):
        return payload.number(data, "price")
    try:
        price = payload.number(data, "price", required=True)
    except Invalid as error:
        raise Invalid(name, error.reason) from None
    if price is not None and price <= 0:
        raise Invalid(name, "expected a price above 0")
    return price


def _check_levels(alert: Alert) -> None:
    """A stop stands on the losing side of the price, a target on the winning one."""
    price, up = alert.price or 0.0, alert.signal == "BUY"
    for name, level, above in (("sl", alert.sl, not up), ("tp", alert.tp, up)):
        if not level:
            continue
        if level < 0:
            raise Invalid(name, "expected a level above 0, or 0 for none")
        if level == price or (level > price) is not above:
            side = "above" if above else "below"
            raise Invalid(name, f"{level:g} must be {side} the price {price:g} for a {alert.signal}")
