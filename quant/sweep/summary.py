"""What came out of a sweep: tables, the best of it, and how each pair of axes goes together."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from quant.config.study import Sweep
from quant.metrics import DEFINITIONS, shown
from quant.strategy import Value
from quant.sweep.combinations import Space
from quant.sweep.work import Row


@dataclass(frozen=True)
class Summary:
    """`rows` and `filtered`: best first by the objective, those without one last; equals in the order tried."""

    space: Space
    sweep: Sweep
    rows: list[Row]
    filtered: list[Row]
    refused: int

    @classmethod
    def of(cls, space: Space, sweep: Sweep, tried: Sequence[Row], refused: int) -> Summary:
        rows = sorted(tried, key=lambda row: _rank(row[sweep.objective]))
        return cls(space, sweep, rows, [row for row in rows if _enough(row, sweep)], refused)

    @property
    def best(self) -> Row:
        """Of those that have enough trades and days; of all when none has."""
        return (self.filtered or self.rows)[0]

    def override(self, row: Row) -> dict[str, Value]:
        return {name: row[name] for name in self.space.axes}

    def metrics(self) -> dict[str, Any]:
        """metrics.json: the best one's figures, what it is, and of how many it is the best.

        `trials` and `sharpe_variance` (of the trials' Sharpe, of a year) are what a deflated Sharpe is made of.
        """
        sharpes = [value for row in self.rows if math.isfinite(value := float(row["Sharpe"]))]
        return {
            **shown({name: float(self.best[name]) for name in DEFINITIONS}),
            "best": self.override(self.best),
            "objective": self.sweep.objective,
            "trials": len(self.rows),
            "enough": len(self.filtered),
            "refused": self.refused,
            "sharpe_variance": statistics.variance(sharpes) if len(sharpes) > 1 else None,
        }

    def heatmaps(self) -> list[dict[str, Any]]:
        """For each two axes: the objective's mean over all others, as rows of `y` and columns of `x`; null: nothing."""
        names = [name for name, values in self.space.axes.items() if len(values) > 1]
        return [self._heatmap(x, y) for x, y in combinations(names, 2)]

    def _heatmap(self, x: str, y: str) -> dict[str, Any]:
        cells = defaultdict[tuple[Value, Value], list[float]](list)
        for row in self.rows:
            if math.isfinite(value := float(row[self.sweep.objective])):
                cells[row[x], row[y]].append(value)
        across, up = self.space.axes[x], self.space.axes[y]
        values = [[_mean(cells.get((column, line))) for column in across] for line in up]
        return {"x": x, "y": y, "xs": list(across), "ys": list(up), "of": self.sweep.objective, "values": values}


def table(rows: Sequence[Row], axes: Sequence[str]) -> str:
    """CSV: the axes, then every measure; floats so that reading them gives the same bits; nothing where none is."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [*axes, *DEFINITIONS]
    writer.writerow(names)
    writer.writerows(_cells(row, names) for row in rows)
    return text.getvalue()


def _cells(row: Row, names: Sequence[str]) -> Iterator[Value]:
    measures = shown({name: float(row[name]) for name in DEFINITIONS})
    for name in names:
        value = measures[name] if name in measures else row[name]
        yield "" if value is None else value


def _rank(value: Value) -> float:
    return math.inf if math.isnan(float(value)) else -float(value)


def _enough(row: Row, sweep: Sweep) -> bool:
    return float(row["trades"]) >= sweep.min_trades and float(row["days"]) >= sweep.min_days


def _mean(values: list[float] | None) -> float | None:
    return math.fsum(values) / len(values) if values else None
