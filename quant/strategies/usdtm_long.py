"""USDTM_LONG of the log book: long only, once a level that was lost is reclaimed and the reclaim is confirmed.

The level is the higher timeframe's average. Confirmed means so many closes in a row above it; a close under it is the
invalidation.
"""

from __future__ import annotations

import numpy as np

from quant.candles import I8
from quant.compiled import compiled_lean
from quant.holding import hold
from quant.indicators import View
from quant.strategy import Parameter, Params, Signals, Strategy


def signals(view: View, params: Params) -> Signals:
    above = view.higher(str(params["htf"])).close_side(int(params["htf_length"]))
    entry = np.zeros(len(above), np.int8)
    _reclaims(above, int(params["below"]), int(params["confirm"]), entry)
    stop = view.atrs(int(params["atr"]), float(params["stop_atr"]))
    target = stop * float(params["target_r"])
    return Signals(hold(view, entry, above, stop, target), stop, target)


@compiled_lean
def _reclaims(above: I8, below: int, confirm: int, found: I8) -> None:
    """1 at the `confirm`th bar in a row above the level, after at least `below` bars in a row under it."""
    under = over = 0
    for t in range(len(above)):
        if above[t] > 0:
            over += 1
            found[t] = over == confirm and under >= below
        else:
            under = under + 1 if over == 0 else 1
            over = 0
            if above[t] == 0:
                under = 0


STRATEGY = Strategy(
    name="usdtm_long",
    summary="after bars under the higher timeframe's average, so many closes in a row above it: long; "
    "out at a close under it, at the stop in ATR or the target in R",
    parameters=(
        Parameter("htf", "4h", ("1h", "4h", "1d"), "the higher timeframe"),
        Parameter("htf_length", 50, (20, 50, 100), "closed higher bars in the level's average", least=2),
        Parameter("below", 16, (4, 16, 48), "bars in a row under the level before it", least=1),
        Parameter("confirm", 4, (1, 2, 4, 8), "closes in a row above the level that confirm", least=1),
        Parameter("atr", 14, (14,), "bars in the average true range", least=1),
        Parameter("stop_atr", 3.0, (2.0, 3.0, 4.0), "the stop's distance in ATR", least=0.01),
        Parameter("target_r", 3.0, (2.0, 3.0, 5.0), "the target in multiples of the stop's distance", least=0.01),
    ),
    signals=signals,
    warmup=lambda params: max(int(params["below"]) + int(params["confirm"]), int(params["atr"])),
    higher=lambda params: (str(params["htf"]), int(params["htf_length"])),
    direction="long",
)
