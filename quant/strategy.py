"""What a strategy is: a pure function from candles and parameters to what it wants at each bar's close.

It may use what was known when bar t closed, for its value at t, and nothing later; `./inv quant.check` proves it. The
engine acts at the next bar's open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from quant.candles import F64, I8
from quant.timeframe import Timeframe

if TYPE_CHECKING:
    from quant.indicators import View

Value = int | float | str | bool
Params = Mapping[str, Value]
Direction = Literal["both", "long", "short"]


@dataclass(frozen=True)
class Signals:
    """Arrays of shape (n,), one value for each bar, known at its close.

    `side`: int8, the wanted position: -1 short, 0 none, 1 long. `stop` and `target`: float64, how far from the fill
    price, in prices, for a position opened on this bar's signal; nan or None: none.
    """

    side: I8
    stop: F64 | None = None
    target: F64 | None = None


@dataclass(frozen=True)
class Parameter:
    """One number (or word) that a strategy takes: its default, and what a sweep tries when it is not told."""

    name: str
    default: Value
    space: tuple[Value, ...]
    help: str
    least: float | None = None


@dataclass(frozen=True)
class Strategy:
    """`signals` is pure. `refusal` says in words why parameters cannot go together (fast above slow), None if they can.

    `warmup` is how many bars pass before the first signal can be, `higher` how many of which higher timeframe.
    """

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    signals: Callable[[View, Params], Signals]
    warmup: Callable[[Params], int]
    refusal: Callable[[Params], str | None] = lambda _: None
    higher: Callable[[Params], tuple[str, int]] | None = None
    direction: Direction = "both"
    """What it may do at all; the three engines of the log book have one direction each."""

    def needed(self, params: Params, timeframe: Timeframe) -> int:
        """Bars of `timeframe` before the first signal can be, those of the higher timeframe among them. Raises
        UsageError: not a timeframe."""
        if self.higher is None:
            return self.warmup(params)
        text, count = self.higher(params)
        return max(self.warmup(params), count * Timeframe.of(text).ms // timeframe.ms)

    def complete(self, given: Params) -> dict[str, Value]:
        """`given` with the defaults for what it leaves out; unknown names are refused by the configuration."""
        return {one.name: given.get(one.name, one.default) for one in self.parameters}
