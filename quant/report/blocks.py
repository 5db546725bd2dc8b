"""What a report's page is made of: values, to be put together by a backtest, a sweep or a walk (quant.report.page)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quant.candles import F64, I64
from quant.engine.result import Result

Cell = str | float | int | bool | None


@dataclass(frozen=True)
class Figures:
    """Tiles of figures by name; those that quant.metrics defines carry their definition. `large`: the first so many."""

    title: str
    values: Mapping[str, float | None]
    large: int = 9
    definitions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """Equity, drawdown, and trades on candles, on one time axis; `unit`: what prices are shown as multiples of."""

    result: Result
    unit: float


@dataclass(frozen=True)
class Months:
    """Returns by month and year, from `equity` at the bars opening at `time` (ms); arrays of shape (n,)."""

    time: I64
    equity: F64
    initial: float


@dataclass(frozen=True)
class Histogram:
    """How many of `values` (nan is left out) lie where; `unit` stands behind an edge, `note` below."""

    title: str
    values: F64
    unit: str = "R"
    note: str = ""


@dataclass(frozen=True)
class Heatmap:
    """`values[j][i]` of `measure` at `xs[i]`, `ys[j]`; None where nothing was tried."""

    title: str
    x: str
    y: str
    xs: Sequence[Cell]
    ys: Sequence[Cell]
    values: Sequence[Sequence[float | None]]
    measure: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Curves:
    """Lines over one time axis (`time` in ms, shape (n,)), by name; each of shape (n,), nan where it has no value."""

    title: str
    time: I64
    lines: Mapping[str, F64]
    note: str = ""


Block = Figures | Chart | Months | Histogram | Heatmap | Table | Curves
