"""GOLD_CFD_LONG of the log book: long only, XAUUSD on M15, a pullback bought in an up-trend, within trading hours.

The higher timeframe says up (its close above its average); the bar reaches down to the fast EMA and closes up above it.
Invalidated, as in the log book's plan, by a bar's close: under the slow EMA, or by the higher timeframe turning down.
"""

from __future__ import annotations

import numpy as np

from quant.candles import I8
from quant.holding import hold, pullbacks
from quant.indicators import View, side_of
from quant.strategy import Parameter, Params, Signals, Strategy


def signals(view: View, params: Params) -> Signals:
    chosen = tuple(params[name] for name in ("htf", "htf_length", "fast", "slow", "from_hour", "to_hour"))
    up = view.once(("gold up", *chosen[:4]), lambda: _up(view, params))
    entry = view.once(("gold entry", *chosen), lambda: _entry(view, up, params))
    stop = view.atrs(int(params["atr"]), float(params["stop_atr"]))
    target = stop * float(params["target_r"])
    return Signals(hold(view, entry, up, stop, target), stop, target)


def _up(view: View, params: Params) -> I8:
    higher = view.higher(str(params["htf"])).trend(1, int(params["htf_length"]))
    own = side_of(view.candles.close, view.ema(int(params["slow"])))
    return ((higher > 0) & (own > 0)).view(np.int8)


def _entry(view: View, up: I8, params: Params) -> I8:
    hours = view.hours(int(params["from_hour"]), int(params["to_hour"]))
    return pullbacks(view, up, view.ema(int(params["fast"]))) * hours


def refusal(params: Params) -> str | None:
    if not params["fast"] < params["slow"]:  # type: ignore[operator]
        return "fast must be below slow"
    hours = (params["from_hour"], params["to_hour"])
    return None if all(hour <= 24 for hour in hours) else "from_hour and to_hour are at most 24"  # type: ignore[operator]


STRATEGY = Strategy(
    name="gold_cfd_long",
    summary="higher timeframe closed above its average and the close above the slow EMA, the bar reaches down to the "
    "fast EMA and closes up above it, within hours: long; stop in ATR, target in R; out at a close under the slow EMA",
    parameters=(
        Parameter("htf", "1h", ("1h", "4h"), "the higher timeframe"),
        Parameter("htf_length", 50, (20, 50, 100), "closed higher bars in its average", least=2),
        Parameter("fast", 20, (10, 20, 30), "bars in the EMA that price returns to", least=1),
        Parameter("slow", 50, (50, 100, 200), "bars in the EMA whose loss invalidates", least=2),
        Parameter("atr", 14, (14,), "bars in the average true range", least=1),
        Parameter("stop_atr", 1.5, (1.0, 1.5, 2.0), "the stop's distance in ATR", least=0.01),
        Parameter("target_r", 2.0, (2.0, 3.0), "the target in multiples of the stop's distance", least=0.01),
        Parameter("from_hour", 7, (7,), "first hour of entries, UTC: London's morning", least=0),
        Parameter("to_hour", 20, (20,), "hour before which entries end, UTC", least=0),
    ),
    signals=signals,
    warmup=lambda params: max(int(params["slow"]), int(params["atr"])),
    higher=lambda params: (str(params["htf"]), int(params["htf_length"])),
    refusal=refusal,
    direction="long",
)
