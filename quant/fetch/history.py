"""What is missing of a series, fetched in order and stored as it comes.

What is stored of a source is one stretch of time: newer bars are added to its end, older ones to its beginning, each
side in order. So after a crash what is stored has no hole that was not seen at the exchange, and nothing of it is asked
for again. A stretch asked for elsewhere brings what lies between too. Its longest gaps are looked at again: bars may
come from files, and exchanges add some later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from quant.dataset import Dataset
from quant.dataset.gaps import Gap
from quant.errors import NoData
from quant.fetch.feed import Feed
from quant.fetch.page import Page, Window
from quant.fetch.threads import ordered
from quant.fetch.walk import Walk
from runtime import clock

STORE_EVERY = 2.0
"""Seconds between two additions to the dataset: what a crash can lose."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bars that open in [since, until), ms, or the newest `bars` before `until`; neither: newer ones only."""

    since: int | None = None
    until: int | None = None
    bars: int | None = None


class Watch(Protocol):
    """What a person sees meanwhile."""

    def at(self, bars: int, left: int) -> None:
        """`bars` more came, about `left` are still to come."""


@dataclass(slots=True)
class Done:
    """`added`: bars that were new. `doubled`, `broken`: rows left out (quant.fetch.page)."""

    added: int = 0
    doubled: int = 0
    broken: int = 0


@dataclass
class Keeper:
    """Pages on their way into the dataset, in the order they come."""

    feed: Feed
    dataset: Dataset
    done: Done = field(default_factory=Done)
    pages: list[Page] = field(default_factory=list)
    stored: float = field(default_factory=clock.steady)

    def take(self, page: Page) -> None:
        self.pages.append(page)
        self.done.doubled += page.doubled
        self.done.broken += page.broken
        if clock.steady() - self.stored > STORE_EVERY:
            self.store()

    def store(self) -> None:
        pages = sorted(self.pages, key=lambda page: page.window.begin)
        rows = np.concatenate([np.empty((0, 6)), *(page.rows for page in pages)])
        self.pages.clear()
        if len(rows):
            self.done.added += self.dataset.add(self.feed.series.candles(rows)).added
        self.stored = clock.steady()


def fetch(feed: Feed, dataset: Dataset, wanted: Wanted, watch: Watch) -> Done:
    """Brings what is missing. Raises ExchangeFailed; what came until then is stored."""
    keeper = Keeper(feed, dataset)
    end = min(feed.finished(wanted.until), feed.newest())
    known = stored(feed, dataset)
    if known is None:
        _run(_first(feed, wanted, end), keeper, watch)
    else:
        _run(Walk(feed, known.end, end), keeper, watch)
        _run(_older(feed, dataset, wanted, known), keeper, watch)
        if wanted.since is not None or wanted.bars:
            _look_again(keeper, watch)
    return keeper.done


def stored(feed: Feed, dataset: Dataset) -> Window | None:
    """The stretch that is there."""
    try:
        found = dataset.find(feed.series.symbol, feed.series.timeframe, feed.series.source)
    except NoData:
        return None
    return Window(found.first, found.last + feed.step)


def _first(feed: Feed, wanted: Wanted, end: int) -> Walk:
    if wanted.bars:
        return Walk(feed, 0, end, backward=True, bars=wanted.bars, seeks=True)
    return Walk(feed, feed.not_before(wanted.since or 0), end, seeks=True)


def _older(feed: Feed, dataset: Dataset, wanted: Wanted, known: Window) -> Walk:
    """To the past of what is there; perhaps nothing."""
    if wanted.bars:
        have = len(dataset.load(*_name(feed), until=wanted.until)) if wanted.until else dataset.find(*_name(feed)).bars
        return Walk(feed, 0, known.begin, backward=True, bars=wanted.bars - have, until=wanted.until, seeks=True)
    begin = known.begin if wanted.since is None else feed.not_before(wanted.since)
    return Walk(feed, begin, known.begin, backward=True, seeks=True)


def _look_again(keeper: Keeper, watch: Watch) -> None:
    """At the longest gaps, as long as that shows others."""
    step, seen = keeper.feed.step, set[Gap]()
    while gaps := set(keeper.dataset.find(*_name(keeper.feed)).gaps.longest) - seen:
        for gap in sorted(gaps, key=lambda gap: gap.time):
            _run(Walk(keeper.feed, gap.time, gap.time + gap.bars * step), keeper, watch)
        seen |= gaps


def _name(feed: Feed) -> tuple[str, str, str]:
    return feed.series.symbol, feed.series.timeframe.text, feed.series.source


def _run(walk: Walk, keeper: Keeper, watch: Watch) -> None:
    """Whatever happens, whole pages are stored."""
    watch.at(0, walk.left)
    try:
        for _, page in ordered(walk.window, keeper.feed.page, keeper.feed.asker.side_by_side()):
            walk.seen(page)
            watch.at(len(page.rows), walk.left)
            keeper.take(page)
    finally:
        keeper.store()
