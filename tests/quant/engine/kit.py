"""Candles and configurations for tests of the engine, as short as they can be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from quant.candles import Candles
from quant.config import Config, parse
from quant.engine import Result, Spec, simulate
from quant.strategy import Signals
from quant.timeframe import Timeframe

QUARTER = Timeframe.of("15m")
FREE = {"taker_fee": 0.0}


def candles(bars: Sequence[Sequence[float]], timeframe: Timeframe = QUARTER) -> Candles:
    """Of rows (open, high, low, close), from the beginning of 1970."""
    table = np.array(bars, float).reshape(-1, 4)
    time = np.arange(len(table), dtype=np.int64) * timeframe.ms
    columns = np.ascontiguousarray(table.T)
    return Candles("test", "TEST/USDT", timeframe, time, *columns, np.ones(len(table)))


def config(**sections: Any) -> Config:
    """Without fees and with any leverage, unless told."""
    given: dict[str, Any] = {"costs": FREE, "instrument": {"max_leverage": 1000, "maintenance_margin": 0}} | sections
    return parse({"data": {"symbol": "TEST/USDT", "timeframe": "15m"}} | given)


def signals(side: Sequence[int], stop: Sequence[float] | None = None, target: Sequence[float] | None = None) -> Signals:
    distances = [None if given is None else np.array(given, float) for given in (stop, target)]
    return Signals(np.array(side, np.int8), *distances)


def simulated(bars: Candles, wanted: Signals, settings: Config, tick: float = 0.01, **more: Any) -> Result:
    return simulate(bars, wanted, Spec.of(settings, bars, tick), **more)
