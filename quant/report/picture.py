"""equity.png: the curve and its drawdown, for chats and log books.

Drawn by Pillow, with the font that matplotlib carries: the same picture on every machine, and loading matplotlib itself
would take longer than the backtest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from quant.candles import F64, I64
from quant.report.thin import drawdown

SIZE = (1600, 900)
LEFT, RIGHT = 150, 1560
WIDTH = RIGHT - LEFT
INK, DIM, GRID, PAPER, LINE, FALL, FALLEN = "#16202a", "#51606e", "#e6ebef", "#ffffff", "#0a5fb4", "#b32b20", "#f8d6d2"
SMALL, LARGE = 21, 30
_MONTHS = 12
Marks = list[tuple[int, str]]
"""Which bar, and what stands there."""
_FONT = "mpl-data/fonts/ttf/DejaVuSans.ttf"


@dataclass(frozen=True)
class Panel:
    """Where values go: [`low`, `high`] onto the pixels from `bottom` up to `top`, n points from left to right."""

    top: int
    bottom: int
    low: float
    high: float
    n: int

    def x(self, index: float) -> float:
        return LEFT + WIDTH * index / max(self.n - 1, 1)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)

    def shade(self, image: Image.Image, low: F64, high: F64, colour: str) -> None:
        """Paint each column of pixels between two values, its ends as far as they are covered: a smooth line."""
        scale = (self.bottom - self.top) / (self.high - self.low)
        above = ((self.high - high) * scale - 1.2).astype(np.float32)
        below = ((self.high - low) * scale + 1.2).astype(np.float32)
        row = np.arange(self.bottom - self.top, dtype=np.float32)[:, None]
        covered = np.clip(np.minimum(row + 1, below) - np.maximum(row, above), 0.0, 1.0)
        mask = Image.fromarray(np.rint(covered * 255).astype(np.uint8))
        image.paste(colour, (LEFT, self.top), mask)


def draw(path: Path, time: I64, equity: F64, initial: float, title: str, words: str) -> None:
    """`time` in milliseconds, arrays of shape (n,); `title` and `words` (a line of figures) stand above."""
    times = marks(time)
    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((LEFT, 28), _fit(title), INK, _font(LARGE))
    pen.text((LEFT, 74), _fit(words), DIM, _font(SMALL))
    low, high = min(float(equity.min()), initial), max(float(equity.max()), initial)
    room = (high - low) * 0.04 or abs(high) * 0.01 or 1.0
    top = Panel(130, 610, low - room, high + room, len(equity))
    _grid(pen, top, [(value, number(value)) for value in ticks(top.low, top.high, 6)], times)
    top.shade(image, *spans(equity), LINE)
    _fallen(image, pen, times, drawdown(equity, initial))
    image.save(path, "PNG", compress_level=3)


def _fallen(image: Image.Image, pen: ImageDraw.ImageDraw, times: Marks, fallen: F64) -> None:
    panel = Panel(640, 840, min(float(fallen.min()), -1e-4) * 1.05, 0.0, len(fallen))
    low, high = spans(fallen)
    panel.shade(image, low, np.zeros(WIDTH), FALLEN)
    levels = [(value, f"{100 * value:.4g} %") for value in ticks(panel.low, panel.high, 3)]
    _grid(pen, panel, levels, times)
    for index, text in times:
        pen.text((panel.x(index), panel.bottom + 12), text, DIM, _font(SMALL), anchor="ma")
    panel.shade(image, low, high, FALL)


def _grid(pen: ImageDraw.ImageDraw, panel: Panel, levels: list[tuple[float, str]], times: Marks) -> None:
    for value, text in levels:
        pen.line([(LEFT, panel.y(value)), (RIGHT, panel.y(value))], GRID)
        pen.text((LEFT - 14, panel.y(value)), text, DIM, _font(SMALL), anchor="rm")
    for index, _ in times:
        pen.line([(panel.x(index), panel.top), (panel.x(index), panel.bottom)], GRID)


def spans(values: F64) -> tuple[F64, F64]:
    """The lowest and the highest value in each column of pixels, the line between points counted. Shape (WIDTH,)."""
    at = np.arange(len(values)) * (WIDTH / max(len(values) - 1, 1))
    edges = np.interp(np.arange(WIDTH + 1), at, values)
    low, high = np.minimum(edges[:-1], edges[1:]), np.maximum(edges[:-1], edges[1:])
    column = np.minimum(at.astype(np.int64), WIDTH - 1)
    np.minimum.at(low, column, values)
    np.maximum.at(high, column, values)
    return low, high


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers in [low, high]: 1, 2 or 5 times a power of ten apart."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= raw * 0.999)
    return [index * step for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def marks(time: I64) -> Marks:
    """The first bar of each month or year, at most twelve; else the first bar and the last."""
    months = time.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    begin = np.flatnonzero(np.diff(months)) + 1
    for apart in (1, 2, 3, 6, 12, 24, 60, 120):
        found = list(_begun(begin, months, apart))
        if len(found) <= _MONTHS:
            break
    return found if len(found) > 1 else _ends(time)


def _begun(begin: I64, months: I64, apart: int) -> Iterator[tuple[int, str]]:
    """Where a stretch of `apart` months since 1970 begins; `begin`: where a month does."""
    for index in begin[months[begin] // apart != months[begin - 1] // apart].tolist():
        begun = int(months[index]) // apart * apart
        yield index, f"{1970 + begun // 12}" + ("" if apart % 12 == 0 else f"-{begun % 12 + 1:02}")


def _ends(time: I64) -> Marks:
    days = np.datetime_as_string(time[[0, -1]].astype("datetime64[ms]"), unit="D").tolist()
    return [(0, str(days[0]))] if len(time) < 2 else [(0, str(days[0])), (len(time) - 1, str(days[1]))]


def number(value: float) -> str:
    """10,500 or 0.00125."""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == 0 else f"{value:.4g}"


def _fit(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Found without importing matplotlib; where that is not installed, Pillow's own, which knows no accents."""
    spec = find_spec("matplotlib")
    path = Path((spec and spec.origin) or ".").parent / _FONT
    return ImageFont.truetype(str(path), size) if path.exists() else ImageFont.load_default(size)


def words(measures: dict[str, float], names: Sequence[str] = ("Sharpe", "CAGR", "MDD", "PF", "trades")) -> str:
    """A line of figures: `Sharpe 1.20   CAGR 12.3 %`."""
    return "   ".join(f"{name} {_said(name, measures[name])}" for name in names if math.isfinite(measures[name]))


def _said(name: str, value: float) -> str:
    if name == "trades":
        return f"{value:,.0f}"
    return f"{100 * value:.1f} %" if name in ("CAGR", "MDD") else f"{value:.2f}"
