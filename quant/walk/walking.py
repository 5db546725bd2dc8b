"""All windows, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quant.candles import Candles
from quant.config import Config
from quant.engine import Result
from quant.engine.simulating import Rates
from quant.metrics import measure
from quant.sweep.overrides import applied
from quant.ticks import tick_of
from quant.walk.choosing import Choice, Chooser
from quant.walk.trading import Whole, joined, traded
from quant.walk.windows import Window, windows


@dataclass(frozen=True)
class Step:
    """A window, what was chosen on it, and what that then did."""

    window: Window
    choice: Choice
    tested: dict[str, float]


@dataclass(frozen=True)
class Walk:
    """`result`: every test, out of sample, joined."""

    steps: list[Step]
    result: Result


Told = Callable[[int, int, Step], None]


def walk(config: Config, candles: Candles, funding: Rates | None = None, told: Told = lambda *_: None) -> Walk:
    """`told` hears which step of how many was made. A walk ends early when nothing is left to trade with.

    Raises BadData (too few bars), UsageError, StrategyFailed.
    """
    chooser, found = Chooser(config), windows(candles, config.walk_forward)
    whole = Whole(candles, funding, config.instrument.tick_size or tick_of(candles))
    equity, steps, results = config.account.equity, list[Step](), list[Result]()
    for window in found:
        choice = chooser.choose(candles.part(window.train, window.test), funding)
        results.append(traded(applied(config, choice.override), whole, window, equity))
        steps.append(Step(window, choice, measure(results[-1])))
        told(len(steps), len(found), steps[-1])
        equity = float(results[-1].equity[-1])
        if not equity > 0:
            break
    return Walk(steps, joined(results, candles.part(found[0].test, steps[-1].window.end)))
