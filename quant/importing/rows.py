"""A file's rows to candles: put in order, the same row twice taken once, the bar still running left out, the rest
refused with its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from quant.candles import COLUMNS, F64, I64, Candles
from quant.dataset import rules
from quant.errors import BadData
from quant.importing import layouts, moments, table
from quant.importing.layouts import Layout
from quant.importing.table import NOTHING, Table
from quant.importing.zones import Zone
from quant.timeframe import UNITS, Timeframe
from quant.times import milliseconds, shown
from quant.words import many
from runtime import clock

SHOWN = 3
"""Bad lines that are told; the rest is counted."""


SERVER_TIME = (
    "MetaTrader writes its server's time, taken as UTC here: usual are --timezone Europe/Athens, America/New_York+7"
)


@dataclass(frozen=True)
class Imported:
    """`candles` as they can be stored; `notes` on what was done to get there, for a person."""

    program: str
    candles: Candles
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Rows:
    """`row[i]`: which row of the table bar i was."""

    table: Table
    candles: Candles
    row: I64
    notes: tuple[str, ...] = ()

    def taking(self, kept: I64, note: str) -> _Rows:
        columns = {name: getattr(self.candles, name)[kept] for name in COLUMNS}
        return replace(self, candles=replace(self.candles, **columns), row=self.row[kept]).noting(note)

    def noting(self, note: str) -> _Rows:
        return replace(self, notes=(*self.notes, note))

    def where(self, bar: int) -> str:
        return f"line {self.table.line(int(self.row[bar]))}: {rules.row(self.candles, bar)}"


def read(path: Path, symbol: str, timeframe: Timeframe, source: str = "csv", timezone: str | None = None) -> Imported:
    """`timezone` None: UTC, and a note where that is unlikely. Raises UsageError (no file, no such timezone) and
    BadData (what stands in it)."""
    zone = Zone.of(timezone or "UTC")
    text = table.read(path)
    layout = layouts.of(text)
    rows = _candles(text, layout, zone, (source, symbol, timeframe))
    if layout.clock is not None and timezone is None:
        rows = rows.noting(SERVER_TIME)
    rows = _once(_in_order(rows))
    _fits(rows)
    _require(rows)
    rows = _finished(rows, int(path.stat().st_mtime * 1000))
    return Imported(layout.program, rows.candles, rows.notes)


def _candles(text: Table, layout: Layout, zone: Zone, name: tuple[str, str, Timeframe]) -> _Rows:
    if not len(text):
        raise BadData(f"{text.name} has a header and no rows", hint=NOTHING)
    time = moments.of(text, layout, zone)
    opens, highs, lows, closes = (text.numbers(getattr(layout, field), field) for field in layouts.FIELDS[1:])
    volume, note = _volume(text, layout)
    return _Rows(
        text, Candles(*name, time, opens, highs, lows, closes, volume), np.arange(len(text)), (note,) if note else ()
    )


def _volume(text: Table, layout: Layout) -> tuple[F64, str]:
    """MetaTrader leaves the volume at 0 where the broker knows none, and counts ticks."""
    volume = None if layout.volume is None else text.numbers(layout.volume, "volume")
    if volume is not None and (layout.ticks is None or volume.any()):
        return volume, ""
    if layout.ticks is not None:
        return text.numbers(layout.ticks, "tick volume"), "there is no volume: ticks are taken for it"
    return np.zeros(len(text)), "there is no volume: it is 0"


def _in_order(rows: _Rows) -> _Rows:
    time = rows.candles.time
    steps = np.diff(time)
    if (steps >= 0).all():
        return rows
    if (steps <= 0).all():
        return rows.taking(np.arange(len(time))[::-1], "newest first: turned round")
    return rows.taking(np.argsort(time, kind="stable"), f"{many(int((steps < 0).sum()), 'row')} out of order: sorted")


def _once(rows: _Rows) -> _Rows:
    """Raises BadData where two rows say different things of one bar."""
    c = rows.candles
    again = np.flatnonzero(np.diff(c.time) == 0) + 1
    for bar in again.tolist():
        if any(getattr(c, name)[bar] != getattr(c, name)[bar - 1] for name in COLUMNS):
            raise BadData(
                f"{rows.table.name}: two different rows of one bar\n  {rows.where(bar - 1)}\n  {rows.where(bar)}",
                hint=f"are times really in the timezone of --timezone, and of one symbol? {NOTHING}",
            )
    if not len(again):
        return rows
    return rows.taking(np.delete(np.arange(len(c)), again), f"{many(len(again), 'row')} twice: taken once")


def _fits(rows: _Rows) -> None:
    """Bars of another timeframe, which could be stored as full of gaps. Raises BadData."""
    c = rows.candles
    if len(c) < SHOWN:
        return
    steps = np.diff(c.time)
    step = int(np.sort(steps)[len(steps) // 2])
    if steps.min() > c.timeframe.ms or step < c.timeframe.ms:
        raise BadData(
            f"{rows.table.name}: bars are {_length(step)} apart, not {c.timeframe}",
            hint=f"is --tf {c.timeframe} right? {NOTHING}",
        )


def _require(rows: _Rows) -> None:
    """Every row is a candle, or BadData tells the lines that are not."""
    problems = [f"{rows.table.name}: {line}" for line in _problems(rows)]
    if problems:
        raise BadData("\n".join(problems), hint=_hint(rows))


def _problems(rows: _Rows) -> Iterator[str]:
    for words, bad in rules.broken(rows.candles):
        yield f"{words}: {len(bad):,} of {many(len(rows.candles), 'row')}"
        yield from (f"  {rows.where(bar)}" for bar in bad[:SHOWN].tolist())


def _hint(rows: _Rows) -> str:
    c = rows.candles
    if not rules.opens(c.time, c.timeframe).all() and c.timeframe.ms > UNITS["h"]:
        return f"bars of a session that does not begin at 00:00 UTC: import hours or minutes instead. {NOTHING}"
    return NOTHING


def _finished(rows: _Rows, written: int) -> _Rows:
    """Without the bar still running. `written`: when the file was (ms). Raises BadData on bars of the future."""
    c, now = rows.candles, milliseconds(clock.now())
    _no_future(rows, now)
    late = int((c.time + c.timeframe.ms > written).sum())
    running = np.flatnonzero(c.time + c.timeframe.ms > (written if late == 1 else now))
    if len(running):
        note = f"the bar of {shown(int(c.time[-1]))} was not finished: left out"
        return rows.taking(np.delete(np.arange(len(c)), running), note)
    if late:
        return rows.noting(f"{many(late, 'bar')} would end after the file was written: is --timezone right?")
    return rows


def _no_future(rows: _Rows, now: int) -> None:
    ahead = rows.candles.time > now
    if ahead.any():
        count, first = many(int(ahead.sum()), "bar"), rows.where(int(np.argmax(ahead)))
        hint = f"in which timezone are its times? --timezone tells. {NOTHING}"
        raise BadData(f"{rows.table.name}: {count} of the future, from {first}", hint=hint)


def _length(ms: int) -> str:
    """As a timeframe where it is one."""
    unit = next((name for name, length in reversed(UNITS.items()) if ms % length == 0), "")
    return f"{ms // UNITS[unit]}{unit}" if unit else f"{ms} ms"
