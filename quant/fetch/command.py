"""`python -m quant.fetch`: flags and config.yaml in, what was fetched out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from quant.cli import Parser
from quant.config import Config, load, parse
from quant.dataset import Dataset
from quant.dataset.manifest import Series as Entry
from quant.errors import ExchangeFailed, NoData, UsageError
from quant.fetch import client as clients
from quant.fetch import funding, history, market, progress
from quant.fetch.asking import Asker
from quant.fetch.feed import Feed
from quant.fetch.history import Done, Wanted
from quant.fetch.pace import Pace
from quant.fetch.page import Series
from quant.timeframe import Timeframe
from quant.times import milliseconds, shown
from runtime import clock

FLAGS = {"exchange": ("exchange", "id"), "api_url": ("exchange", "api_url"), "symbol": ("data", "symbol"),
         "tf": ("data", "timeframe"), "since": ("data", "since"), "until": ("data", "until")}  # fmt: skip
"""Each replaces a setting of config.yaml."""


def parser() -> Parser:
    found = Parser(prog="python -m quant.fetch", description="Fetch candles: what is missing, in both directions.")
    found.add_argument("--config", type=Path, help="config.yaml; the flags below replace what it says")
    found.add_argument("--exchange", help="as ccxt names it: binance, binanceusdm, bybit, bitget, okx, ...")
    found.add_argument("--symbol", help="BTC/USDT; a perpetual is BTC/USDT:USDT")
    found.add_argument("--tf", help="timeframe: 1m, 15m, 4h, 1d")
    found.add_argument("--since", help="first bar, 2024-01-01 or 2024-01-01T12:00, UTC")
    found.add_argument("--until", help="bars that open before it")
    found.add_argument("--bars", type=int, help="this many finished bars, up to the newest")
    found.add_argument("--funding", action="store_true", help="funding rates too, of a perpetual")
    found.add_argument("--api-url", help="where the exchange answers instead of its own address")
    return found


def run(arguments: argparse.Namespace) -> int:
    """Raises QuantError."""
    config = asked(arguments)
    wanted, pace = _wanted(config, arguments.bars), Pace()
    began = clock.steady()
    with progress.shown(f"{config.exchange.id} {config.data.symbol} {config.data.timeframe}") as watch:
        try:
            entry, done, rates = _fetched(config, wanted, arguments.funding, pace, watch)
        finally:
            pace.stop()
    sys.stdout.write("\n".join(_told(entry, done, rates, clock.steady() - began)) + "\n")
    return 0


def _fetched(
    config: Config, wanted: Wanted, rates: bool, pace: Pace, watch: progress.Plain | progress.Moving
) -> tuple[Entry, Done, int | None]:
    """The series as it is then, what was done, and how many funding rates came."""
    dataset = Dataset.of(config)
    feed, chosen = open_feed(config, pace, watch.say)
    if rates:
        funding.require(feed, chosen)
    done = history.fetch(feed, dataset, _enough(feed, dataset, wanted), watch)
    return _entry(feed, dataset), done, _funding(feed, dataset) if rates else None


def asked(arguments: argparse.Namespace) -> Config:
    """config.yaml with the flags in it. Raises UsageError."""
    given: dict[str, Any] = load(arguments.config).model_dump(mode="json", by_alias=True) if arguments.config else {}
    for flag, (section, name) in FLAGS.items():
        if (value := getattr(arguments, flag)) is not None:
            given.setdefault(section, {})[name] = value
    missing = [f"--{flag}" for flag in ("exchange", "symbol", "tf") if not _setting(given, *FLAGS[flag])]
    if missing:
        raise UsageError(f"what is to be fetched? {', '.join(missing)} missing", hint="as a flag, or in --config FILE")
    return parse(given, str(arguments.config or "the command"))


def open_feed(config: Config, pace: Pace, say: Any) -> tuple[Feed, dict[str, Any]]:
    """The series at its exchange, and ccxt's market. Raises UsageError, ExchangeFailed."""
    name, symbol = str(config.exchange.id), config.data.symbol
    timeframe = Timeframe.of(config.data.timeframe)
    client = clients.connect(config.exchange, name, symbol, pace)
    market.require_timeframe(client, timeframe)
    asker = Asker(client, pace, config.exchange.retries, say)
    asker.ask("load_markets")
    chosen = market.find(client, symbol)
    if chosen["symbol"] != symbol:
        say(f"{symbol} is {chosen['symbol']} at {name}")
    return Feed(asker, Series(name, symbol, timeframe), str(chosen["symbol"]), clients.ahead(asker.ask, client)), chosen


def _wanted(config: Config, bars: int | None) -> Wanted:
    if bars is not None and bars < 1:
        raise UsageError(f"--bars {bars}: at least 1")
    since, until = config.data.since, config.data.until
    if since and until and not bars and milliseconds(since) >= milliseconds(until):
        raise UsageError(f"until {until} is not later than since {since}")
    since_ms = milliseconds(since) if since and not bars else None
    return Wanted(since_ms, milliseconds(until) if until else None, bars)


def _enough(feed: Feed, dataset: Dataset, wanted: Wanted) -> Wanted:
    """Raises UsageError for a first fetch that does not say how far back."""
    if wanted.since is None and wanted.bars is None and history.stored(feed, dataset) is None:
        raise UsageError(
            f"nothing is stored of {feed.series.source} {feed.series.symbol} yet: how far back?",
            hint="--since 2020-01-01, or --bars 10000",
        )
    return wanted


def _funding(feed: Feed, dataset: Dataset) -> int:
    """For the time that has bars."""
    there = history.stored(feed, dataset)
    return funding.fetch(feed, dataset, there.begin, there.end) if there else 0


def _entry(feed: Feed, dataset: Dataset) -> Entry:
    try:
        return dataset.find(feed.series.symbol, feed.series.timeframe, feed.series.source)
    except NoData:
        raise ExchangeFailed(
            f"{feed.series.source} has no finished bars of {feed.series.symbol} {feed.series.timeframe} then",
            hint="ask for another time, or see at the exchange when it was traded",
        ) from None


def _told(entry: Entry, done: Done, rates: int | None, seconds: float) -> list[str]:
    lines = [f"{entry.name}: {done.added:,} bars fetched in {seconds:.1f} s",
             f"  stored: {entry.bars:,}, {shown(entry.first)} to {shown(entry.last)} UTC"]  # fmt: skip
    if entry.gaps.count:
        gaps = ", ".join(f"{gap.bars:,} from {shown(gap.time)}" for gap in entry.gaps.longest[:3])
        lines.append(f"  {entry.gaps.count:,} gaps, {entry.gaps.missing:,} bars missing at the exchange: {gaps}")
    if done.doubled or done.broken:
        lines.append(f"  left out: {done.doubled:,} rows that came twice, {done.broken:,} that are no candles")
    if rates is not None:
        lines.append(f"  {rates:,} funding rates fetched")
    return lines


def _setting(given: dict[str, Any], section: str, name: str) -> Any:
    return (given.get(section) or {}).get(name)
