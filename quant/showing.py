"""Runs as a person reads them, or as JSON: one, or two side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from quant.metrics.definitions import DEFINITIONS, is_fraction
from quant.report.words import NAMES
from quant.runs import ABOUT, read_json


def show(folder: Path, *, as_json: bool = False) -> None:
    """A run's figures. Raises NoData when its files cannot be read."""
    about, measures = read_json(folder / ABOUT), read_json(folder / "metrics.json")
    if as_json:
        put({"run_id": folder.name, "folder": str(folder), **about, "metrics": measures})
        return
    rows = [(label(name), figure(name, value)) for name, value in measures.items() if _is_figure(value)]
    title = f"{folder.name}: {about.get('title') or about.get('kind')}"
    table(title, ("", ""), rows)
    sys.stdout.write(f"{folder / 'report.html'}\n")


def compare(a: Path, b: Path, *, as_json: bool = False) -> None:
    """What differs in what two runs are, and all that came out. Raises NoData."""
    differs, measures = differences(a, b), side_by_side(a, b)
    if as_json:
        put({"a": a.name, "b": b.name, "differs": differs, "metrics": measures})
        return
    what = [(name, _said(one), _said(other)) for name, (one, other) in differs.items()]
    table("What they are", ("", a.name, b.name), what or [("no difference", "", "")])
    rows = [
        (label(name), figure(name, one["a"]), figure(name, one["b"]), figure(name, one["difference"]))
        for name, one in measures.items()
    ]
    table("What came out", ("", a.name, b.name, "difference"), rows)


def differences(a: Path, b: Path) -> dict[str, tuple[object, object]]:
    """By path: data, code, and each setting (`strategy.params.fast`)."""
    one, other = _what(a), _what(b)
    names = [*one, *(name for name in other if name not in one)]
    return {name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)}


def side_by_side(a: Path, b: Path) -> dict[str, dict[str, float | None]]:
    """`a`, `b` and b - a of each figure that either has."""
    one, other = read_json(a / "metrics.json"), read_json(b / "metrics.json")
    names = [*one, *(name for name in other if name not in one)]
    return {name: _pair(one.get(name), other.get(name)) for name in names if _is_figure(one.get(name, other.get(name)))}


def _pair(a: float | None, b: float | None) -> dict[str, float | None]:
    return {"a": a, "b": b, "difference": None if a is None or b is None else b - a}


def _what(folder: Path) -> dict[str, object]:
    about = read_json(folder / ABOUT)
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        config = {}
    kept = {name: about.get(name) for name in ("kind", "data", "code")}
    return kept | dict(_flat(config if isinstance(config, Mapping) else {}))


def _flat(given: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    for name, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _is_figure(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def label(name: str) -> str:
    return NAMES[name][1] if name in NAMES and name in DEFINITIONS else name


def figure(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if is_fraction(name):
        return f"{100 * value:.2f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"


def _said(value: object) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def put(content: Mapping[str, object]) -> None:
    """JSON onto standard output."""
    json.dump(content, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """The first column to the left, the others to the right; nothing in them is taken for markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for at, name in enumerate(columns):
        made.add_column(Text(name), justify="right" if at else "left", overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    Console(highlight=False).print(made)
