"""A log book, read: entries and the text outside them. The pieces joined are the file, byte for byte.

`parse` keeps the bytes and a few numbers for each piece; everything else is read from the bytes when asked for. Times
are as written, local to the log book's zone, without an offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from runtime.journal import fields
from runtime.journal.scan import ALERT, TEXT, Marks, scan

ZONE = "America/Montreal"
Kind = Literal["session", "alert", "note", "text"]
KINDS: tuple[Kind, ...] = ("session", "alert", "note", "text")
_HEADING = re.compile(r"## (\d{4}-\d\d-\d\d)(?:[ T](\d{1,2}:\d\d(?::\d\d)?))?\s*(.*)")
_DASH = re.compile(r"^(?:—|–|-{1,2}|\|)\s*")


class BookError(Exception):
    """A log book cannot be read or written; the message says which, and `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(slots=True)  # not frozen: that would double the time it takes to make one
class Entry:
    """One piece of a book: an entry, or text outside entries. `line` is its first line, counted from 1."""

    data: bytes
    start: int
    end: int
    sort: int
    line: int

    @property
    def raw(self) -> bytes:
        """The piece as it stands in the file."""
        return self.data[self.start : self.end]

    @property
    def text(self) -> str:
        """For people: bytes that are not UTF-8 show as U+FFFD."""
        return self.raw.decode(errors="replace")

    @property
    def blank(self) -> bool:
        return not self.raw.strip()

    @property
    def kind(self) -> Kind:
        if self.sort == TEXT:
            return "text"
        if self.sort == ALERT:
            return "alert"
        likely = fields.has_sections(self.data, self.start, self.end)
        return "session" if likely and fields.sections(self.text) else "note"

    @property
    def timestamp(self) -> str | None:
        """`YYYY-MM-DD HH:MM` as written (with seconds, or the date alone, if that is what is written)."""
        found = _HEADING.match(self._heading) if self.sort != TEXT else None
        return " ".join(filter(None, found.group(1, 2))) if found else None

    @property
    def moment(self) -> datetime | None:
        """The timestamp as a naive local time; None when it is no date that exists."""
        try:
            return datetime.fromisoformat(_two_digits(self.timestamp or ""))
        except ValueError:
            return None

    @property
    def title(self) -> str:
        """What the heading says after the time; for text, its first line that is not blank."""
        if self.sort == TEXT:
            return next((line.strip() for line in self.text.splitlines() if line.strip()), "")[:120]
        found = _HEADING.match(self._heading)
        return _DASH.sub("", found.group(3)).strip() if found else ""

    @property
    def fields(self) -> dict[str, Any]:
        """Of an alert, what it said; of a session, its sections and open points; nothing for others."""
        kind = self.kind
        if kind == "alert":
            return fields.alert(self.text)
        return fields.session(self.text, self.line) if kind == "session" else {}

    @property
    def _heading(self) -> str:
        end = self.data.find(b"\n", self.start, self.end)
        return self.data[self.start : self.end if end < 0 else end].decode(errors="replace").rstrip("\r")


@dataclass(frozen=True, slots=True)
class Book:
    """A parsed log book. `pieces` makes each piece anew: keep none that you do not need."""

    data: bytes
    marks: Marks

    def __len__(self) -> int:
        return len(self.marks.starts)

    def pieces(self) -> Iterator[Entry]:
        """Everything, in the order of the file."""
        line, data, starts = 1, self.data, self.marks.starts
        for start, end, sort in zip(
            starts, chain(islice(starts, 1, None), [len(data)]), self.marks.sorts, strict=False
        ):
            yield Entry(data, start, end, sort, line)
            line += data.count(b"\n", start, end)

    def entries(self) -> Iterator[Entry]:
        """The same without blank text."""
        return (piece for piece in self.pieces() if piece.sort != TEXT or not piece.blank)

    def line_at(self, offset: int) -> int:
        """The line, counted from 1, on which the byte at `offset` stands."""
        return self.data.count(b"\n", 0, offset) + 1


def parse(data: bytes) -> Book:
    """Any bytes are a book; nothing is an error."""
    return Book(data, scan(data))


def read(path: Path) -> Book:
    """Raises BookError when the file cannot be read."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise BookError(f"{path}: {error.strerror or error}", "name the log book: ./inv journal.lint FILE") from error


def _two_digits(timestamp: str) -> str:
    date, _, time = timestamp.partition(" ")
    return f"{date} {time:0>5}" if time and len(time) < 5 else timestamp
