"""One series as an exchange has it: how its time is cut into windows, and one window's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quant.dataset.rules import MONDAY
from quant.fetch import client as clients
from quant.fetch import limits, page
from quant.fetch.asking import Asker
from quant.fetch.limits import DAY_MS
from quant.fetch.page import Page, Series, Window
from quant.timeframe import Timeframe

DAY = Timeframe.of("1d")


@dataclass(frozen=True)
class Feed:
    """`name`: ccxt's symbol. `ahead`: ms that the exchange's clock is ahead of ours."""

    asker: Asker
    series: Series
    name: str
    ahead: int

    @property
    def step(self) -> int:
        return self.series.timeframe.ms

    def now(self) -> int:
        return clients.now(self.asker.client, self.ahead)

    def begin_of(self, ms: int) -> int:
        """Of the bar that `ms` lies in."""
        start = MONDAY if self.series.timeframe.text.endswith("w") else 0
        return (ms - start) // self.step * self.step + start

    def not_before(self, ms: int) -> int:
        """The first open at `ms` or later."""
        return self.begin_of(ms + self.step - 1)

    def finished(self, until: int | None) -> int:
        """The end of what can be had: bars that are finished by the exchange's clock, and open before `until`."""
        end = self.begin_of(self.now())
        return end if until is None else min(end, self.not_before(until))

    def newest(self) -> int:
        """Where the newest finished bar ends, by what the exchange shows: of a market that is no longer traded, long
        ago.
        """
        rows = self._ask(self.name, self.series.timeframe.text, None, 2)
        ends = [int(row[0]) + self.step for row in rows if row[0] is not None]
        now = self.now()
        finished = [end for end in ends if end <= now] or [end - self.step for end in ends]
        return self.begin_of(max(finished, default=now))

    def up_to(self, end: int, begin: int, bars: int | None = None) -> Window:
        """The window of one answer that ends at `end`: not before `begin`, of at most `bars` bars."""
        size = self._size(end - self._size(end) * self.step)
        return Window(max(begin, end - min(size, bars or size) * self.step), end)

    def on_from(self, begin: int, end: int) -> Window:
        """The window of one answer that begins at `begin`, not beyond `end`."""
        return Window(begin, min(end, begin + self._size(begin) * self.step))

    def page(self, window: Window) -> Page:
        """Its bars. Raises ExchangeFailed."""
        return page.fetch(self._rows, self.series, window)

    def listed(self, before: int) -> int:
        """No bar before `before` opens earlier; `before` itself when there is none. By days, so that the years before a
        late listing cost some answers and not thousands. A day less, for exchanges that have no day's bar for the first
        day's rest.
        """
        if self.series.timeframe >= DAY or DAY.text not in self.asker.client.timeframes:
            return before
        days = Feed(self.asker, Series(self.series.source, self.series.symbol, DAY), self.name, self.ahead)
        end, found = days.not_before(before), before
        while len(rows := days.page(days.up_to(end, 0)).rows):
            end = int(rows[0, 0])
            found = end - DAY_MS
        return found

    def _size(self, begin: int) -> int:
        """Bars in a window that begins at `begin`. One fewer than an answer holds: exchanges differ in whether a bar at
        the end of what was asked belongs to it, so we ask for that one too.
        """
        client, allowed = self.asker.client, self.asker.client.limits
        rows = limits.rows(client, allowed, self.name, self.series.timeframe.text, begin, self.now()) - 1
        return max(1, min(rows, allowed.days * DAY_MS // self.step - 1) if allowed.days else rows)

    def _rows(self, window: Window) -> Any:
        bars = (window.end - window.begin) // self.step
        return self._ask(self.name, self.series.timeframe.text, window.begin, bars + 1, {"until": window.end})

    def _ask(self, *arguments: Any) -> Any:
        return self.asker.ask("fetch_ohlcv", *arguments)
