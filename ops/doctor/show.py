"""The screen of `./inv doctor`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any, TextIO

from ops.doctor.finding import Finding
from ops.report import WIDTH

STYLES = {"ok": "green", "notice": "yellow", "problem": "bold red"}


def show(found: Sequence[Finding], names: Sequence[str], verbose: bool, out: TextIO | None = None) -> None:
    """Of each place its problems and notices by group; what is well as a count, or with `verbose` line by line."""
    from rich.console import Console

    stream = out or sys.stdout
    console = Console(file=stream, highlight=False, soft_wrap=True, width=None if stream.isatty() else WIDTH)
    for name in names:
        own = [one for one in found if one.where == name]
        console.print(f"{name}: {counted(own)}", style="bold", markup=False)
        for group, members in groupby(sorted(own, key=_place(own)), key=lambda one: one.group):
            _group(console, group, list(members), verbose)


def counted(found: Sequence[Finding]) -> str:
    """ "2 problems, 1 notice, 31 well"."""
    count = {level: len([one for one in found if one.level == level]) for level in STYLES}
    said = [
        f"{count[level]} {level}{'s' if count[level] != 1 else ''}" for level in ("problem", "notice") if count[level]
    ]
    return ", ".join([*said, f"{count['ok']} well"])


def _place(found: Sequence[Finding]) -> Any:
    """Groups in the order in which they were first found; in each, problems first."""
    groups = list(dict.fromkeys(one.group for one in found))
    levels = ("problem", "notice", "ok")
    return lambda one: (groups.index(one.group), levels.index(one.level))


def _group(console: Any, group: str, found: Sequence[Finding], verbose: bool) -> None:
    for one in found:
        if one.level == "ok" and not verbose:
            continue
        means = f" ({one.means})" if one.means else ""
        console.print(f"  {one.level:<8} {group}: {one.says}{means}", style=STYLES[one.level], markup=False)
        if one.mend:
            console.print(f"           -> {one.mend}", markup=False)
