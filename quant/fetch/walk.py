"""Which windows of a series are asked for, in which order, and where that ends."""

from __future__ import annotations

from dataclasses import dataclass

from quant.fetch.feed import Feed
from quant.fetch.page import Page, Window


@dataclass
class Walk:
    """From `begin` to `end`, or `backward` from `end` to `begin`, then until `bars` bars that open before `until` are
    found.

    `seeks`: where the market begins is not known yet; it is looked up at the first page that has nothing.
    """

    feed: Feed
    begin: int
    end: int
    backward: bool = False
    bars: int | None = None
    until: int | None = None
    seeks: bool = False
    found: int = 0
    _asked: int = 0
    _lacking: int = 0
    _open: int = 0

    def window(self) -> Window | None:
        """The next one; None when what was asked so far may be enough."""
        if self.begin >= self.end or (self.seeks and not self.found and self._open):
            return None
        window = self._older() if self.backward else self._newer()
        if window is not None:
            self._asked += self._size(window)
            self._open += 1
        return window

    def seen(self, page: Page) -> None:
        """Count what a page has; ask for nothing before the market's first day."""
        self._open -= 1
        counted = int((page.rows[:, 0] < self.until).sum()) if self.until else len(page.rows)
        self.found += counted
        self._lacking += self._size(page.window) - counted
        if self.seeks and not len(page.rows):
            self._seek(page)

    @property
    def left(self) -> int:
        """Bars still to come, as far as one can know."""
        if self.bars is not None:
            return max(0, self.bars - self.found)
        return self._size(Window(self.begin, max(self.begin, self.end))) + self._asked - self._lacking - self.found

    def _newer(self) -> Window:
        window = self.feed.on_from(self.begin, self.end)
        self.begin = window.end
        return window

    def _older(self) -> Window | None:
        wanted = None if self.bars is None else self.bars - self._asked + self._lacking
        if wanted is not None and wanted <= 0:
            return None
        window = self.feed.up_to(self.end, self.begin, wanted)
        self.end = window.begin
        return window

    def _seek(self, page: Page) -> None:
        """Once: nothing lies before the day that is found."""
        if self.backward or not self.found:
            before = page.window.begin if self.backward else self.end
            self.begin = max(self.begin, self.feed.not_before(self.feed.listed(before)))
            self.seeks = False

    def _size(self, window: Window) -> int:
        return (window.end - window.begin) // self.feed.step
