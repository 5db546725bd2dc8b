"""Long while the fast average of closes is above the slow one, short while it is below."""

from __future__ import annotations

from quant.indicators import View
from quant.strategy import Parameter, Params, Signals, Strategy


def signals(view: View, params: Params) -> Signals:
    return Signals(view.averages_side(int(params["fast"]), int(params["slow"])))


def refusal(params: Params) -> str | None:
    return None if params["fast"] < params["slow"] else "fast must be below slow"  # type: ignore[operator]


STRATEGY = Strategy(
    name="ma_cross",
    summary="fast simple average above the slow one: long; below: short; equal: as before",
    parameters=(
        Parameter("fast", 20, (5, 10, 20, 30, 50), "bars in the fast average", least=1),
        Parameter("slow", 100, (50, 100, 150, 200, 300), "bars in the slow average", least=2),
    ),
    signals=signals,
    warmup=lambda params: int(params["slow"]),
    refusal=refusal,
)
