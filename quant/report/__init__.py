"""What a run leaves for people and for scripts: figures, trades, the curve, a picture, and a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

import numpy as np

from quant import metrics
from quant.config import Config
from quant.engine.result import Result
from quant.report import packing, picture, tables
from quant.report.blocks import Block, Chart, Figures, Histogram, Months
from quant.report.paper import page
from quant.runs import Run

METRICS, PAGE = "metrics.json", "report.html"


def write(run: Run, result: Result, extra: Iterable[Block] = ()) -> dict[str, float | int | None]:
    """Everything that a result has, into the run's folder; `extra` stands on the page below it, and is worked out while
    the page is at what stands above. Side by side: packing and drawing go on without Python's lock, and so may `extra`.

    Returns what metrics.json holds. Raises BadData when the equity is no number.
    """
    measures = metrics.measure(result)
    shown = metrics.shown(measures)
    with ThreadPoolExecutor(3) as pool:
        more = pool.submit(tuple, extra)
        parts = chain(blocks(result, measures), _later(more))
        page_of = pool.submit(write_page, run, parts, subtitle(result))
        picture_of = pool.submit(_draw, run, result, picture.words(measures))
        run.write_json(METRICS, shown)
        tables.write_trades(run.folder / "trades.csv", result)
        tables.write_equity(run.folder / "equity.parquet", result)
        page_of.result()
        picture_of.result()
    return shown


def _later(blocks: Future[tuple[Block, ...]]) -> Iterator[Block]:
    yield from blocks.result()


def _draw(run: Run, result: Result, words: str) -> None:
    path, title = run.folder / "equity.png", title_of(run.config)
    picture.draw(path, result.candles.time, result.equity, result.initial, title, words)


def write_page(run: Run, parts: Iterable[Block], about: str = "") -> None:
    """report.html alone, of whatever blocks: a sweep's, a walk's."""
    run.write(PAGE, page(title_of(run.config), about, parts, run.config, run.about))


def blocks(result: Result, measures: dict[str, float]) -> tuple[Block, ...]:
    """A backtest's part of a page."""
    candles = result.candles
    return (
        Figures("figures", measures),
        Chart(result, packing.unit_of(candles)),
        Months(candles.time, result.equity, result.initial),
        _histogram(result),
    )


def title_of(config: Config) -> str:
    return config.title or f"{config.strategy.name} {config.data.symbol} {config.data.timeframe}"


def subtitle(result: Result) -> str:
    """Where the candles are from, and from when to when."""
    candles = result.candles
    first, last = (tables.stamp(int(candles.time[at]))[:10] for at in (0, -1))
    return f"{candles.name} · {first} … {last} · {len(candles):,} bars"


def _histogram(result: Result) -> Histogram:
    """By R; without stops by what a trade gained of its value, in percent."""
    trades = result.trades
    if np.isfinite(trades.r).any():
        return Histogram("Trades, R", trades.r, "R")
    with np.errstate(divide="ignore", invalid="ignore"):
        gained = trades.side * (trades.exit / trades.entry - 1.0) * 100.0
    return Histogram("Trades, %", gained, "%", "price move from entry to exit, before fees: there was no stop")
