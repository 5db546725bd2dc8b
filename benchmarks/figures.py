"""Figures with their targets, as a table for people and a file for machines."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.paths import CACHE

FILE = CACHE / "bench.json"


@dataclass(frozen=True)
class Figure:
    """One measured number. `target` is its limit: the most it may be, or with `at_least` the least."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    note: str = ""
    samples: tuple[float, ...] = ()

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    def json(self) -> dict[str, Any]:
        limit = (
            {} if self.target is None else {"at_least" if self.at_least else "at_most": self.target, "met": self.met}
        )
        samples = {"samples": [round(sample, 4) for sample in self.samples]} if self.samples else {}
        return {"name": self.name, "value": round(self.value, 4), "unit": self.unit, **limit, **samples}


def median(name: str, samples: Sequence[float], unit: str = "s", **how: Any) -> Figure:
    """The middle one of several, with the fastest and the slowest beside it."""
    spread = f"{min(samples):.2f} to {max(samples):.2f}"
    note = ", ".join(filter(None, (how.pop("note", ""), spread)))
    return Figure(name, statistics.median(samples), unit, note=note, samples=tuple(samples), **how)


def fastest(name: str, samples: Sequence[float], unit: str = "s", **how: Any) -> Figure:
    """What the program itself needs: whatever else the machine does only adds to it. The middle one is told too."""
    middle = f"fastest of {len(samples)}, middle {statistics.median(samples):.2f}"
    note = ", ".join(filter(None, (how.pop("note", ""), middle)))
    return Figure(name, min(samples), unit, note=note, samples=tuple(samples), **how)


def machine() -> dict[str, Any]:
    """What the figures were measured on; a load above the number of cores makes them doubtful."""
    load = round(os.getloadavg()[0], 2)
    return {"cores": os.cpu_count(), "load": load, "python": platform.python_version(), "arch": platform.machine()}


def save(figures: Sequence[Figure], on: dict[str, Any], path: Path = FILE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": on}
    path.write_text(json.dumps({**whole, "figures": [figure.json() for figure in figures]}, indent=1) + "\n")


def show(figures: Sequence[Figure], on: dict[str, Any], path: Path = FILE) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, side in (("figure", "left"), ("measured", "right"), ("target", "right"), ("", "left"), ("", "left")):
        table.add_column(title, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for figure in figures:
        table.add_row(*_row(figure))
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 150)
    console.print(table)
    console.print(f"{on['cores']} cores, load {on['load']} before it began, Python {on['python']}; all of it: {path}")


def _row(figure: Figure) -> tuple[Any, ...]:
    target = "" if figure.target is None else f"{'>=' if figure.at_least else '<='} {figure.target:g} {figure.unit}"
    words = {True: Text("met", "green"), False: Text("MISSED", "bold red"), None: Text("")}
    return figure.name, f"{_number(figure.value)} {figure.unit}", target, words[figure.met], Text(figure.note, "dim")


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 and value != int(value) else f"{value:.1f}".removesuffix(".0")
