"""Funding rates of a perpetual, from the newest back to where they are wanted or end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from quant.dataset import Dataset, Funding
from quant.errors import UsageError
from quant.fetch.feed import Feed
from quant.timeframe import UNITS

SHORTEST_MS = UNITS["h"]
"""Perpetuals settle every 8 hours, some every hour: a window of as many hours as an answer has rows is never cut."""
Rates = dict[int, float]


def fetch(feed: Feed, dataset: Dataset, begin: int, end: int) -> int:
    """Brings the settlements in [begin, end), ms, that are not stored. Returns how many. Raises ExchangeFailed."""
    symbol, source = feed.series.symbol, feed.series.source
    rates: Rates = {}
    for since, until in _missing(dataset.funding(symbol, source), begin, end):
        rates |= _between(feed, since, until)
    return dataset.add_funding(symbol, source, _sorted(rates))


def require(feed: Feed, market: dict[str, Any]) -> None:
    """Raises UsageError for what has no funding."""
    if not market["swap"]:
        raise UsageError(f"{feed.series.source} {feed.series.symbol} is no perpetual", hint="leave --funding out")
    if not feed.asker.client.has["fetchFundingRateHistory"]:
        raise UsageError(f"ccxt cannot read funding rates of {feed.series.source}", hint="leave --funding out")


def _missing(known: Funding | None, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """What is later than the stored ones, and what is earlier when another settlement may lie there."""
    if known is None or len(known) < 2:
        yield begin, end
        return
    if (newest := int(known.time[-1]) + 1) < end:
        yield newest, end
    first, second = int(known.time[0]), int(known.time[1])
    if first - begin > second - first:
        yield begin, first


def _between(feed: Feed, since: int, until: int) -> Rates:
    found: Rates = {}
    for rows in _answers(feed, since, until):
        rates = {int(row["timestamp"]): float(row["fundingRate"]) for row in rows if _whole(row)}
        if not rates.keys() - found.keys():
            break
        found |= rates
        if min(rates) <= since:
            break
    return {time: rate for time, rate in found.items() if since <= time < until}


def _answers(feed: Feed, since: int, until: int) -> Iterator[list[Any]]:
    """Newest first. An answer with nothing new: they begin here."""
    rows = feed.asker.client.limits.funding_rows
    if feed.asker.client.id == "bitget":
        for number in range(1, 10_000):
            yield _ask(feed, None, rows, {"pageNo": number})
    while until > since:
        begin = max(since, until - rows * SHORTEST_MS)
        yield _ask(feed, begin, rows, {"after" if feed.asker.client.id == "okx" else "until": until})
        until = begin


def _ask(feed: Feed, *arguments: Any) -> list[Any]:
    """Nothing is believed only when it comes twice."""
    for _ in range(2):
        if found := feed.asker.ask("fetch_funding_rate_history", feed.name, *arguments):
            return list(found)
    return []


def _whole(row: Any) -> bool:
    return row["timestamp"] is not None and row["fundingRate"] is not None


def _sorted(rates: Rates) -> Funding:
    times = sorted(rates)
    return Funding(np.array(times, np.int64), np.array([rates[time] for time in times], np.float64))
