"""Trend following: with the crossing averages, only in the direction of the higher timeframe, with an ATR stop."""

from __future__ import annotations

from quant.indicators import View
from quant.strategy import Parameter, Params, Signals, Strategy


def signals(view: View, params: Params) -> Signals:
    side = view.averages_side(int(params["fast"]), int(params["slow"]))
    side *= side == view.higher(str(params["htf"])).close_side(int(params["htf_length"]))
    atr, times = int(params["atr"]), float(params["stop_atr"])
    side *= view.atrs_known(atr, times)
    return Signals(side, view.atrs(atr, times))


def refusal(params: Params) -> str | None:
    return None if params["fast"] < params["slow"] else "fast must be below slow"  # type: ignore[operator]


STRATEGY = Strategy(
    name="trend_atr",
    summary="fast average above the slow one and the close above the higher timeframe's average: long; both below: "
    "short; else flat; stop in ATR",
    parameters=(
        Parameter("fast", 20, (10, 20, 30, 50), "bars in the fast average", least=1),
        Parameter("slow", 100, (75, 100, 150, 200), "bars in the slow average", least=2),
        Parameter("htf", "1h", ("1h", "4h", "1d"), "the higher timeframe"),
        Parameter("htf_length", 50, (20, 50, 100), "closed higher bars in its average", least=1),
        Parameter("atr", 14, (14,), "bars in the average true range", least=1),
        Parameter("stop_atr", 3.0, (2.0, 3.0, 4.0), "the stop's distance in ATR", least=0.01),
    ),
    signals=signals,
    warmup=lambda params: max(int(params["slow"]), int(params["atr"])),
    higher=lambda params: (str(params["htf"]), int(params["htf_length"])),
    refusal=refusal,
)
