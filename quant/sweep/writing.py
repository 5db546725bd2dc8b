"""A sweep's folder: tables of all combinations, and everything that a backtest of the best one has."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from quant import luck, report, showing
from quant.engine import run as simulated
from quant.metrics import COUNTS, HEADLINE, shown
from quant.report.blocks import Block, Figures, Heatmap, Table
from quant.runs import Run, read_json
from quant.sweep.overrides import applied
from quant.sweep.summary import Summary, table
from quant.sweep.work import Study

ALL, FILTERED, MAPS = "summary_all.csv", "summary_filtered.csv", "heatmaps.json"
BEST = 10
"""Rows that are printed, and stand on the page."""
CELLS = 10_000
"""Of a heatmap on the page; a larger one is in heatmaps.json only."""
COLUMNS = (*HEADLINE, "trades")
PRINTED = ("Sharpe", "CAGR", "MDD", "PF", "trades")
"""As many as fit on a line."""


def write(run: Run, study: Study, summary: Summary) -> dict[str, Any]:
    """All files but those of the run itself. Returns what metrics.json holds."""
    axes = list(summary.space.axes)
    run.write(ALL, table(summary.rows, axes))
    run.write(FILTERED, table(summary.filtered, axes))
    run.write_json(MAPS, {"heatmaps": summary.heatmaps()})
    found = summary.metrics()
    result = simulated(applied(study.config, found["best"]), study.candles, study.funding)
    chances = luck.of_sharpe(result, found["trials"], found["sharpe_variance"])
    report.write(run, result, tuple(_blocks(summary, chances)))
    found = shown(chances) | found
    run.write_json(report.METRICS, found)
    return found


def _blocks(summary: Summary, chances: dict[str, float]) -> Iterator[Block]:
    yield Figures("Luck", chances, large=0, definitions=luck.definitions())
    columns = [*summary.space.axes, *COLUMNS]
    rows = [[row[name] for name in columns] for row in (summary.filtered or summary.rows)[:BEST]]
    yield Table("Best combinations", columns, rows, _counted(summary))
    for one in summary.heatmaps():
        if len(one["xs"]) * len(one["ys"]) <= CELLS:
            others = "" if len(summary.space.axes) == 2 else "mean over all other values"
            title = f"{one['of']} by {one['x']} and {one['y']}"
            yield Heatmap(title, one["x"], one["y"], one["xs"], one["ys"], one["values"], one["of"], others)


def _counted(summary: Summary) -> str:
    least = f"at least {summary.sweep.min_trades} trades and {summary.sweep.min_days:g} days"
    tried = f"{len(summary.rows):,} combinations, {len(summary.filtered):,} of them with {least}"
    return f"{tried}; {summary.refused:,} left out, their values cannot go together"


def show(folder: Path, *, as_json: bool = False) -> None:
    """The best rows, and where all of them are. Raises NoData."""
    if as_json:
        showing.show(folder, as_json=True)
        return
    names, rows = _first(folder / FILTERED)
    if not rows:
        names, rows = _first(folder / ALL)
        sys.stderr.write("none has sweep.min_trades and sweep.min_days: these are the best of all\n")
    axes = names[: names.index("Sharpe")]
    columns = dict.fromkeys((*axes, read_json(folder / report.METRICS)["objective"], *PRINTED))
    lines = [tuple(_said(row[names.index(name)], name, name in axes) for name in columns) for row in rows]
    showing.table(f"{folder.name}: the best", tuple(columns), lines)
    _tell_luck(read_json(folder / report.METRICS))
    sys.stdout.write(f"{folder / ALL}\n{folder / report.PAGE}\n")


def _tell_luck(found: dict[str, Any]) -> None:
    said = f"{found['trials']:,} combinations tried, {found['enough']:,} with enough trades and days"
    if found["refused"]:
        said += f", {found['refused']:,} left out: their values cannot go together"
    sys.stdout.write(
        f"{said}\nthat many without an edge would show a Sharpe of {showing.figure('', found['luck_sharpe'])}; "
    )
    sys.stdout.write(f"chance that the best one's is above it (DSR): {showing.figure('win_rate', found['DSR'])}\n")


def _first(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        return next(lines), list(islice(lines, BEST))


def _said(text: str, name: str, axis: bool) -> str:
    if axis or not text:
        return text or "-"
    return showing.figure(name, int(text) if name in COUNTS else float(text))
