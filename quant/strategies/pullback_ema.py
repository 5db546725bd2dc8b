"""The pullback of the FTMO pack, EURUSD: with the trend, at the return to the fast EMA, two trades a day at most."""

from __future__ import annotations

from quant.holding import hold, pullbacks
from quant.indicators import View
from quant.strategy import Parameter, Params, Signals, Strategy

DAY_R = 1.0
"""The pack's rule: the day is over at +1 R and at -1 R."""


def signals(view: View, params: Params) -> Signals:
    fast, slow = int(params["fast"]), int(params["slow"])
    trend = view.emas_side(fast, slow)
    stop = view.atrs(int(params["atr"]), float(params["stop_atr"]))
    target = stop * float(params["target_r"])
    entry = view.once(("pullback_ema", fast, slow), lambda: pullbacks(view, trend, view.ema(fast)))
    side = hold(view, entry, trend, stop, target, per_day=int(params["per_day"]), day_r=DAY_R)
    return Signals(side, stop, target)


def refusal(params: Params) -> str | None:
    return None if params["fast"] < params["slow"] else "fast must be below slow"  # type: ignore[operator]


STRATEGY = Strategy(
    name="pullback_ema",
    summary="fast EMA above the slow one, the bar reaches down to it and closes up above it: long; mirrored: short; "
    "stop in ATR, target in R, the day's rules of the FTMO pack",
    parameters=(
        Parameter("fast", 20, (10, 20, 30, 50), "bars in the EMA that price returns to", least=1),
        Parameter("slow", 50, (50, 100, 200), "bars in the EMA that tells the trend", least=2),
        Parameter("atr", 14, (14,), "bars in the average true range", least=1),
        Parameter("stop_atr", 1.5, (1.0, 1.5, 2.0, 3.0), "the stop's distance in ATR", least=0.01),
        Parameter("target_r", 2.0, (1.5, 2.0, 3.0), "the target in multiples of the stop's distance", least=0.01),
        Parameter("per_day", 2, (2,), "entries a day (UTC) at most; 0: any number", least=0),
    ),
    signals=signals,
    warmup=lambda params: max(int(params["slow"]), int(params["atr"])),
    refusal=refusal,
)
