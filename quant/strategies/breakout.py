"""Channel breakout: in at a new high or low of many bars, out at the opposite one of fewer, stop in ATR."""

from __future__ import annotations

import numpy as np

from quant.candles import I8
from quant.compiled import compiled_lean
from quant.indicators import View
from quant.strategy import Parameter, Params, Signals, Strategy


def signals(view: View, params: Params) -> Signals:
    side = np.zeros(len(view.candles), np.int8)
    _channel(view.breakouts(int(params["entry"])), view.breakouts(int(params["exit"])), side)
    atr, times = int(params["atr"]), float(params["stop_atr"])
    side *= view.atrs_known(atr, times)
    return Signals(side, view.atrs(atr, times))


@compiled_lean
def _channel(entry: I8, out: I8, side: I8) -> None:
    now = np.int8(0)
    for t in range(len(entry)):
        if entry[t] != 0:
            now = entry[t]
        elif out[t] == -now:
            now = np.int8(0)
        side[t] = now


def refusal(params: Params) -> str | None:
    return None if params["exit"] <= params["entry"] else "exit must not be above entry"  # type: ignore[operator]


STRATEGY = Strategy(
    name="breakout",
    summary="close above the highest high of the entry bars before it: long, below the lowest low: short; out at the "
    "opposite extreme of the exit bars",
    parameters=(
        Parameter("entry", 20, (20, 40, 55, 100, 200), "bars in the channel that is broken", least=1),
        Parameter("exit", 10, (10, 20, 40), "bars in the channel that ends it", least=1),
        Parameter("atr", 20, (20,), "bars in the average true range", least=1),
        Parameter("stop_atr", 2.0, (2.0, 3.0, 4.0), "the stop's distance in ATR", least=0.01),
    ),
    signals=signals,
    warmup=lambda params: max(int(params["entry"]) + 1, int(params["atr"])),
    refusal=refusal,
)
