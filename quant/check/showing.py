"""Findings as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from quant.check.finding import Finding
from quant.check.known import INDICATORS


def show(findings: Sequence[Finding]) -> None:
    """A table, what is flagged in red, and a last line that says how many are."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("check", "of", "", "what was found"):
        table.add_column(name, overflow="fold")
    for one in _folded(findings):
        verdict = Text("flagged", style="bold red") if one.flagged else Text("ok", style="green")
        table.add_row(one.check, one.subject, verdict, Text(one.words))
    console = Console()
    console.print(table)
    flagged = sum(one.flagged for one in findings)
    console.print(f"\n{flagged} of {len(findings)} flagged" if flagged else f"\nnothing flagged in {len(findings)}")


def _folded(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Indicators with nothing to tell are one line."""
    quiet = [one for one in findings if one.subject in INDICATORS and not one.flagged]
    if quiet:
        yield Finding(quiet[0].check, f"{len(quiet)} indicators", False, quiet[0].words)
    yield from (one for one in findings if one not in quiet)
