"""What an alert is, and which ones are refused. Pure: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime import engines, payload
from runtime.payload import Invalid, Json

SIGNALS = ("BUY", "SELL")
FIELDS = ("engine", "signal", "symbol", "tf", "price", "tp", "sl", "reason")


@dataclass(frozen=True, slots=True)
class Alert:
    """One TradingView alert. Levels are in the symbol's quote currency; `tp` and `sl` of 0 or None mean none."""

    engine: str
    signal: str
    symbol: str
    tf: str
    price: float | None
    tp: float | None
    sl: float | None
    reason: str
    extra: Json = field(default_factory=dict)

    def payload(self) -> Json:
        """The alert as it is stored, shown and journalled: known fields first, then what else the sender gave."""
        return {name: getattr(self, name) for name in FIELDS} | self.extra


def read(data: Json) -> Alert:
    """The alert in a checked object (its key already taken out). Raises Invalid naming the first wrong field."""
    engine = payload.label(data, "engine")
    test = engines.is_test(engine)
    alert = Alert(
        engine=engine,
        signal=payload.choice(data, "signal", SIGNALS),
        symbol=payload.label(data, "symbol"),
        tf=_timeframe(data),
        price=_price(data, test=test),
        tp=payload.number(data, "tp"),
        sl=payload.number(data, "sl"),
        reason=payload.text(data, "reason"),
        extra={name: value for name, value in data.items() if name not in FIELDS},
    )
    if not test:
        _check_levels(alert)
    return alert


def _timeframe(data: Json) -> str:
    """`60`, `"60"`, `"1H"` and `"M5"` all name a time frame."""
    value = data.get("tf")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{payload.number(data, 'tf'):.15g}"
    return payload.label(data, "tf", limit=32)


def _price(data: Json, *, test: bool) -> float | None:
    if test and "price" in data:
        return payload.number(data, "price")
    price = payload.number(data, "price", required=True)
    if price is not None and price <= 0:
        raise Invalid("price", "expected a price above 0")
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
