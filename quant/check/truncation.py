"""Look-ahead by truncation: what is said until bar t must be the same whether or not later bars are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.candles import Candles
from quant.check.finding import Finding, Numbers
from quant.check.known import INDICATORS
from quant.check.trial import signals
from quant.errors import StrategyFailed
from quant.indicators import View
from quant.strategy import Params, Strategy

CHECK = "truncation"
RANDOM_CUTS = 12
Said = Mapping[str, NDArray[Any] | None]
"""Arrays of shape (n,) by what they are."""


def of_strategy(strategy: Strategy, params: Params, candles: Candles, tick_size: float) -> Finding:
    """Its sides, stops and targets."""

    def say(view: View) -> Said:
        found = signals(strategy, params, view)
        return {"side": found.side, "stop": found.stop, "target": found.target}

    return compared(strategy.name, say, candles, tick_size)


def of_indicators(candles: Candles, tick_size: float) -> list[Finding]:
    """Each that strategies can ask a View for."""
    return [compared(name, partial(_says, name), candles, tick_size) for name in INDICATORS]


def _says(name: str, view: View) -> Said:
    return {name: INDICATORS[name](view)}


def compared(subject: str, say: Callable[[View], Said], candles: Candles, tick_size: float) -> Finding:
    """`say` over all candles and over those before each cut."""
    places = cuts(len(candles))
    numbers: Numbers = {"bars": len(candles), "cuts": len(places)}
    try:
        whole = say(View(candles, tick_size))
        for cut in places:
            if different := first_difference(whole, say(View(candles.part(0, cut), tick_size)), cut):
                name, bar = different
                words = f"{name} {_told(whole, name, bar, candles)} is another when the data ends at bar {cut:,}"
                return Finding(CHECK, subject, True, f"{words}: it looks ahead", numbers | {"bar": bar, "cut": cut})
    except StrategyFailed as error:
        return Finding(CHECK, subject, True, str(error), numbers)
    return Finding(CHECK, subject, False, f"the same with the data cut off at {len(places)} places", numbers)


def cuts(n: int) -> list[int]:
    """Seeded places all over, four in a row so that every phase of an hour of quarters is among them, and the end."""
    if n < 2:
        return []
    random = np.random.default_rng(n).integers(1, n, RANDOM_CUTS)
    middle = np.arange(n // 2, n // 2 + 4)
    return sorted({int(cut) for cut in (*random, *middle, n - 1) if 0 < cut < n})


def first_difference(whole: Said, part: Said, cut: int) -> tuple[str, int] | None:
    """What is said otherwise, and the first bar where."""
    return next(_differences(whole, part, cut), None)


def _differences(whole: Said, part: Said, cut: int) -> Iterator[tuple[str, int]]:
    for name, values in whole.items():
        other = part[name]
        if values is None or other is None:
            if values is not other:
                yield name, 0
            continue
        same = (values[:cut] == other) | ((values[:cut] != values[:cut]) & (other != other))
        if not same.all():
            yield name, int(np.argmin(same))


def _told(whole: Said, name: str, bar: int, candles: Candles) -> str:
    values = whole[name]
    value = "none" if values is None else f"{values[bar]:g}"
    moment = datetime.fromtimestamp(int(candles.time[bar]) / 1000, UTC)
    return f"{value} at bar {bar:,} ({moment:%Y-%m-%d %H:%M})"
