"""One window's test, and all of them as one result.

A test begins flat with what the one before it ended with. What its strategy may have seen before it is the window's
training bars, so averages are there from the first bar; a side that is wanted at the last of those is entered at the
test's first open. At its last bar everything is closed, with its costs: the next window may have chosen otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from quant.candles import Candles
from quant.config import Config
from quant.engine import Result, Spec, Trades, simulate
from quant.engine.running import asked, direction_of, narrowed, params_of
from quant.engine.simulating import Rates
from quant.indicators import View
from quant.strategies import get
from quant.walk.windows import Window


@dataclass(frozen=True)
class Whole:
    """What the windows are parts of."""

    candles: Candles
    funding: Rates | None
    tick_size: float


def traded(config: Config, whole: Whole, window: Window, equity: float) -> Result:
    """`config` with the window's choice in it, over its test, with `equity` to begin with. Raises UsageError,
    StrategyFailed."""
    seen = whole.candles.part(window.train, window.end)
    view = View(seen, whole.tick_size)
    strategy = get(config.strategy.name)
    signals = narrowed(asked(strategy, params_of(strategy, config), view), direction_of(strategy, config))
    begin = window.test - window.train
    side = signals.side.copy()
    side[: begin - 1] = 0
    config = config.model_copy(update={"account": config.account.model_copy(update={"equity": equity})})
    funding = whole.funding if config.costs.funding else None
    found = simulate(seen, replace(signals, side=side), Spec.of(config, seen, whole.tick_size, view), funding)
    return replace(
        found,
        candles=seen.part(begin, len(seen)),
        equity=found.equity[begin:],
        position=found.position[begin:],
        trades=_moved(found.trades, -begin),
    )


def joined(results: Sequence[Result], candles: Candles) -> Result:
    """One after the other, over `candles`: all their bars."""
    offsets = np.cumsum([0, *(len(one.candles) for one in results[:-1])])
    trades = [_moved(one.trades, int(offset)) for one, offset in zip(results, offsets, strict=True)]
    columns = {one.name: np.concatenate([getattr(part, one.name) for part in trades]) for one in fields(Trades)}
    return Result(
        candles,
        results[0].initial,
        np.concatenate([one.equity for one in results]),
        np.concatenate([one.position for one in results]),
        Trades(**columns),
        sum(one.refused for one in results),
    )


def _moved(trades: Trades, bars: int) -> Trades:
    return replace(trades, entry_bar=trades.entry_bar + bars, exit_bar=trades.exit_bar + bars)
