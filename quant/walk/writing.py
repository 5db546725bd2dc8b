"""What a walk leaves: a backtest's folder of the joined tests, and windows.csv."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator

import numpy as np

from quant import metrics, report
from quant.candles import Candles
from quant.config import Config
from quant.luck import definitions, monte_carlo, of_sharpe
from quant.report.blocks import Figures, Histogram, Table
from quant.report.tables import stamp
from quant.runs import Run
from quant.walk.walking import Step, Walk

WINDOWS = "windows.csv"
TESTED = ("Sharpe", "total_return", "MDD", "trades")
DEFINITIONS = {
    "windows": "Windows that were trained on and traded.",
    "good_windows": "Share of windows whose test ended with a profit.",
    "train": "Mean of what the choices showed in training, by the sweep's objective.",
    "efficiency": "The joined tests' objective over `train`: what is left of what was promised.",
    "combinations": "Combinations tried in each window.",
}


def write(run: Run, walk: Walk, candles: Candles) -> dict[str, float | int | None]:
    """Returns what metrics.json holds: the joined tests' figures, then how the walk went, then luck."""
    more = figures(walk, run.config)
    luck = of_sharpe(walk.result) | monte_carlo(walk.result, run.config.monte_carlo, run.config.seed)
    header, rows = _header(walk), [list(_cells(number, step, candles)) for number, step in enumerate(walk.steps, 1)]
    extra = (
        Figures("Walk-forward", more, definitions=DEFINITIONS),
        Figures("Luck", luck, definitions=definitions()),
        Table("Windows", header, rows, "Chosen on train alone, traded on test; DSR: of the choice, in training."),
        Histogram("Windows, %", 100 * np.array([step.tested["total_return"] for step in walk.steps]), "%"),
    )
    whole = report.write(run, walk.result, extra) | metrics.shown(more | luck)
    run.write_json(report.METRICS, whole)
    run.write(WINDOWS, _csv(header, rows))
    return whole


def figures(walk: Walk, config: Config) -> dict[str, float]:
    """As DEFINITIONS has them; efficiency is nan when training promised nothing."""
    promised = float(np.mean([step.choice.objective for step in walk.steps]))
    kept = metrics.measure(walk.result)[config.sweep.objective]
    return {
        "windows": len(walk.steps),
        "good_windows": float(np.mean([step.tested["total_return"] > 0 for step in walk.steps])),
        "train": promised,
        "efficiency": kept / promised if promised > 0 else math.nan,
        "combinations": walk.steps[0].choice.trials,
    }


def _header(walk: Walk) -> list[str]:
    before = ["window", "train_since", "test_since", "test_until", *walk.steps[0].choice.override]
    return [*before, "train_objective", "train_DSR", "train_trials", "train_enough", *(f"test_{n}" for n in TESTED)]


def _cells(number: int, step: Step, candles: Candles) -> Iterator[str | float | int | None]:
    """`test_until`: where the last bar opens."""
    window, choice = step.window, step.choice
    yield number
    yield from (stamp(int(candles.time[bar])) for bar in (window.train, window.test, window.end - 1))
    yield from choice.override.values()
    yield from (_number(value) for value in (choice.objective, choice.deflated))
    yield choice.trials
    yield "yes" if choice.enough else "no"
    yield from (_number(step.tested[name]) for name in TESTED)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _csv(header: list[str], rows: list[list[str | float | int | None]]) -> str:
    """Floats so that reading them gives the same bits; empty where there is none."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
