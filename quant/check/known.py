"""Every indicator there is, with lengths to try it at: one line here for each new one (a test sees that it is)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from quant.indicators import View

INDICATORS: dict[str, Callable[[View], NDArray[Any]]] = {
    "ticks": lambda view: view.ticks(),
    "sums": lambda view: view.sums()[1:],
    "averages_side": lambda view: view.averages_side(5, 20),
    "ema": lambda view: view.ema(20),
    "emas_side": lambda view: view.emas_side(10, 30),
    "atr": lambda view: view.atr(14),
    "atrs": lambda view: view.atrs(14, 2.0),
    "atrs_known": lambda view: view.atrs_known(14, 2.0),
    "highest": lambda view: view.highest(20),
    "lowest": lambda view: view.lowest(20),
    "breakouts": lambda view: view.breakouts(20),
    "hours": lambda view: view.hours(7, 20),
    "higher.spread": lambda view: view.higher(_higher(view)).spread(view.higher(_higher(view)).view.candles.close),
    "higher.spread_side": lambda view: view.higher(_higher(view)).spread_side(
        view.higher(_higher(view)).view.averages_side(1, 3)
    ),
    "higher.trend": lambda view: view.higher(_higher(view)).trend(1, 5),
    "higher.close_side": lambda view: view.higher(_higher(view)).close_side(5),
}


def _higher(view: View) -> str:
    """Four bars of whatever the candles are."""
    own = view.candles.timeframe.text
    return f"{4 * int(own[:-1])}{own[-1]}"
