"""The catalogue as a person reads it."""

from __future__ import annotations

from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table

from quant.data.catalogue import Catalogue, Entry
from quant.times import shown
from quant.words import many

WIDTH = 160
"""Columns where there is no terminal to ask."""
COLUMNS = ("source", "symbol", "tf", "bars", "first", "last", "gaps", "missing", "longest gap", "twice", "MB", "sha256")
NUMBERS = {"bars", "gaps", "missing", "twice", "MB"}


def show(catalogue: Catalogue, out: TextIO) -> None:
    """Times are where bars open, UTC."""
    console = Console(file=out, highlight=False, soft_wrap=True, width=None if out.isatty() else WIDTH)
    if not catalogue.entries and not catalogue.problems:
        console.print(f"nothing in {catalogue.url} yet: ./inv quant.fetch or quant.import brings candles", markup=False)
    if catalogue.entries:
        console.print(_series(catalogue), soft_wrap=False)
    for one in catalogue.rates:
        span = f"{shown(int(one.funding.time[0]))} to {shown(int(one.funding.time[-1]))}"
        console.print(f"{one.path}: {many(len(one.funding), 'funding rate')}, {span}", markup=False)
    for words in catalogue.problems:
        console.print(words, style="red", markup=False)
    if catalogue.verified and not catalogue.problems:
        console.print(f"all {len(catalogue.entries)} series are as they were stored", style="green")


def _series(catalogue: Catalogue) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in COLUMNS:
        table.add_column(title, justify="right" if title in NUMBERS else "left", overflow="fold")
    for entry in catalogue.entries:
        table.add_row(*_row(entry))
    return table


def _row(entry: Entry) -> tuple[str, ...]:
    one, gaps = entry.series, entry.series.gaps
    longest = f"{gaps.longest[0].bars:,} from {shown(gaps.longest[0].time)}" if gaps.count else ""
    twice = str(entry.verified.duplicates if entry.verified else 0)
    return (
        one.source, one.symbol, one.timeframe.text, f"{one.bars:,}", shown(one.first), shown(one.last),
        f"{gaps.count:,}", f"{gaps.missing:,}", longest, twice, f"{one.size / 1e6:.1f}", one.sha256[:12],
    )  # fmt: skip
