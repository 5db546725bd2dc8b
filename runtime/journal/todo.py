"""Open points of all sessions, and ticking one off. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from runtime.journal.book import Book, BookError, parse

_MARK = re.compile(rb"([-*+]|\xe2\x80\xa2) +(?:\[[ xX]\] +)?")


def points(book: Book) -> Iterator[dict[str, Any]]:
    """`line`, `text`, `done` of each point, with its session's `timestamp` and `title`."""
    for entry in book.entries():
        if entry.kind == "session":
            for point in entry.fields["open_points"]:
                yield {**point, "timestamp": entry.timestamp, "title": entry.title}


def ticked(data: bytes, line: int) -> bytes:
    """`data` with the point on `line` marked `[x]`. Raises BookError when no point stands there."""
    if not any(point["line"] == line for point in points(parse(data))):
        raise BookError(f"no open point begins on line {line}", "see their lines: ./inv journal.todo")
    lines = data.split(b"\n")
    lines[line - 1] = _MARK.sub(rb"\1 [x] ", lines[line - 1], count=1)
    return b"\n".join(lines)
