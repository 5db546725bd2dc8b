"""COINM_SHORT of the log book: short only, at a rally that is rejected in a market that falls on the higher timeframe.

The entry is the log book's aggressive short: the rejection is confirmed by a close back under the line and under the
bar's open. The invalidation is the stop above, or the higher timeframe turning up.
"""

from __future__ import annotations

import numpy as np

from quant.holding import hold, pullbacks
from quant.indicators import View
from quant.strategy import Parameter, Params, Signals, Strategy


def signals(view: View, params: Params) -> Signals:
    htf, length, ema = str(params["htf"]), int(params["htf_length"]), int(params["ema"])
    falls = view.once(("falls", htf, length), lambda: np.minimum(view.higher(htf).trend(1, length), np.int8(0)))
    entry = view.once(("rejected", htf, length, ema), lambda: pullbacks(view, falls, view.ema(ema)))
    stop = view.atrs(int(params["atr"]), float(params["stop_atr"]))
    target = stop * float(params["target_r"])
    return Signals(hold(view, entry, falls, stop, target), stop, target)


STRATEGY = Strategy(
    name="coinm_short",
    summary="higher timeframe closed under its average, a rally reaches up to the EMA and closes down under it: short; "
    "stop in ATR, target in R; out when the higher timeframe turns",
    parameters=(
        Parameter("htf", "4h", ("1h", "4h", "1d"), "the higher timeframe"),
        Parameter("htf_length", 50, (20, 50, 100), "closed higher bars in its average", least=2),
        Parameter("ema", 20, (20, 50, 100), "bars in the EMA that rallies are rejected at", least=1),
        Parameter("atr", 14, (14,), "bars in the average true range", least=1),
        Parameter("stop_atr", 2.0, (1.5, 2.0, 3.0), "the stop's distance in ATR", least=0.01),
        Parameter("target_r", 3.0, (2.0, 3.0, 4.0), "the target in multiples of the stop's distance", least=0.01),
    ),
    signals=signals,
    warmup=lambda params: max(int(params["ema"]), int(params["atr"])),
    higher=lambda params: (str(params["htf"]), int(params["htf_length"])),
    direction="short",
)
