"""One window of bars: asked for, checked row by row, and complete, or known to have holes.

Exchanges leave bars out in several ways: an answer is cut short (a silent cap on its length), rows come as None, or
the bars are not there. So what a window lacks is asked for once more by itself, together with the known bars beside it:
an answer that has those and not the others is believed, and only then is it a gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.candles import COLUMNS, F64, Candles
from quant.dataset import rules
from quant.errors import ExchangeFailed
from quant.timeframe import Timeframe

COLUMNS_OF_A_ROW = 6
TRIES = 3
"""So many answers that cannot be believed, and the last one is."""


@dataclass(frozen=True, slots=True)
class Window:
    """Bars that open in [begin, end), ms, both where a bar begins."""

    begin: int
    end: int

    def holds(self, other: Window) -> bool:
        return self.begin <= other.begin and other.end <= self.end


Ask = Callable[[Window], Any]
"""ccxt's rows (or an array) of a window, perhaps with more around it."""


@dataclass(frozen=True, slots=True)
class Series:
    """What the bars are of."""

    source: str
    symbol: str
    timeframe: Timeframe

    def candles(self, rows: F64) -> Candles:
        """`rows` of shape (n, 6), times in the first column."""
        columns = {name: rows[:, at] for at, name in enumerate(COLUMNS)}
        return Candles(self.source, self.symbol, self.timeframe, **columns)  # type: ignore[arg-type]


@dataclass(slots=True)
class Page:
    """`rows` (n, 6): good bars of the window, times rising. `doubled`: rows that came twice. `broken`: rows that are no
    candles, as the exchange sent them.
    """

    window: Window
    rows: F64
    doubled: int = 0
    broken: int = 0
    believed: list[Window] = field(default_factory=list)
    doubted: Counter[Window] = field(default_factory=Counter)

    def take(self, other: Page) -> bool:
        """Its bars too. Returns whether any was new."""
        new = other.rows[~np.isin(other.rows[:, 0], self.rows[:, 0])]
        both = np.concatenate((self.rows, new))
        self.rows = both[np.argsort(both[:, 0], kind="stable")]
        self.doubled, self.broken = self.doubled + other.doubled, max(self.broken, other.broken)
        return bool(len(new))

    def doubtful(self, step: int) -> Window | None:
        """What was asked for only together with other bars, and did not come."""
        return next((one for one in self._missing(step) if not any(b.holds(one) for b in self.believed)), None)

    def beside(self, doubt: Window, step: int) -> Window:
        """`doubt`, and the known bars just before and after it."""
        before, after = np.isin((doubt.begin - step, doubt.end), self.rows[:, 0]).tolist()
        return Window(doubt.begin - step * before, doubt.end + step * after)

    def judge(self, doubt: Window, answer: Page) -> None:
        """An answer to `doubt` that brought nothing new."""
        self.doubted[doubt] += 1
        known = int(answer.window.begin < doubt.begin) + int(answer.window.end > doubt.end)
        if (len(answer.rows) >= known and not answer.broken) or self.doubted[doubt] >= TRIES:
            self.believed.append(doubt)

    def _missing(self, step: int) -> Iterator[Window]:
        """Before the first bar, after the last one, and from the first hole between them to the end of the last."""
        begin, end = self.window.begin, self.window.end
        if not len(self.rows):
            if end > begin:
                yield self.window
            return
        time = self.rows[:, 0].astype(np.int64)
        if time[0] > begin:
            yield Window(begin, int(time[0]))
        if time[-1] + step < end:
            yield Window(int(time[-1]) + step, end)
        holes = np.flatnonzero(np.diff(time) > step)
        if len(holes):
            yield Window(int(time[holes[0]]) + step, int(time[holes[-1] + 1]))


def fetch(ask: Ask, series: Series, window: Window) -> Page:
    """Raises ExchangeFailed when nothing but rubbish comes, again and again."""
    page = read(ask(window), series, window)
    step = series.timeframe.ms
    while (doubt := page.doubtful(step)) is not None:
        wide = page.beside(doubt, step)
        answer = read(ask(wide), series, wide)
        if not page.take(answer):
            page.judge(doubt, answer)
    if page.broken and not len(page.rows):
        raise ExchangeFailed(
            f"{series.source} sends {page.broken} rows for {series.symbol} that are no candles",
            hint="ask again later; nothing of them was stored",
        )
    return page


def read(given: Any, series: Series, window: Window) -> Page:
    """ccxt's rows, with what is no candle left out, then all but the last of each time: an exchange that corrects
    itself sends it later.
    """
    rows, broken = _numbers(given)
    inside = rows[(rows[:, 0] >= window.begin) & (rows[:, 0] < window.end)]
    ordered = inside[np.argsort(inside[:, 0], kind="stable")]
    while True:
        last = np.append(ordered[1:, 0] != ordered[:-1, 0], True)[: len(ordered)]
        bad = np.flatnonzero(last)[~_good(series.candles(ordered[last]))]
        if not len(bad):
            return Page(window, ordered[last], int((~last).sum()), broken)
        ordered, broken = np.delete(ordered, bad, axis=0), broken + len(bad)


def _numbers(given: Any) -> tuple[F64, int]:
    """Rows whose every cell is a number, and how many others there were."""
    if not isinstance(given, np.ndarray):
        nothing = [None] * COLUMNS_OF_A_ROW
        given = [row[:COLUMNS_OF_A_ROW] if row and len(row) >= COLUMNS_OF_A_ROW else nothing for row in given or ()]
    rows = np.array(given, np.float64).reshape(-1, COLUMNS_OF_A_ROW)
    finite = np.isfinite(rows).all(axis=1)
    return rows[finite], int((~finite).sum())


def _good(candles: Candles) -> NDArray[np.bool_]:
    good = np.ones(len(candles), np.bool_)
    for _, rows in rules.broken(candles):
        good[rows] = False
    return good
