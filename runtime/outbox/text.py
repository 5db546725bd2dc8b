"""Columns for a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Left-aligned, two spaces between; the last column is as long as it is. Each row is one line."""
    lines = [[_one_line(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


def _one_line(cell: object) -> str:
    text = "-" if cell is None else str(cell)
    return "".join(letter if letter.isprintable() else " " for letter in text)
