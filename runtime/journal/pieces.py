"""A log book cut into what a merge compares: entries, and paragraphs of text outside entries under one heading each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from runtime.journal.book import Entry, parse
from runtime.journal.fields import outside_fences
from runtime.journal.scan import TEXT


@dataclass(frozen=True)
class Piece:
    """The pieces of a file joined are the file. Two are the same when they differ in the blanks around them only.

    `open` says that a fence in it never ends; `was_last` that nothing followed in its file.
    """

    raw: bytes
    dated: bool
    was_last: bool = False
    open: bool = False

    @cached_property
    def key(self) -> bytes:
        return self.raw.strip()

    @property
    def head(self) -> bytes:
        return self.key.partition(b"\n")[0].rstrip()

    @cached_property
    def moment(self) -> datetime | None:
        """None for text, and for a date that does not exist."""
        return Entry(self.raw, 0, len(self.raw), 1, 1).moment if self.dated else None

    def holds(self, other: Piece) -> bool:
        """Whether the other's lines stand in this one, whole and in one run."""
        return b"\n" + other.key + b"\n" in b"\n" + self.key + b"\n"

    def with_key(self, key: bytes) -> Piece:
        """The same place and blanks around, another text."""
        start = self.raw.find(self.key)
        raw = self.raw[:start] + key + self.raw[start + len(self.key) :]
        return Piece(raw, self.dated, self.was_last, self.open)


def pieces(data: bytes) -> list[Piece]:
    """The pieces of `data`, in order. Blank text is a piece too, with an empty key."""
    book = parse(data)
    found = [part for entry in book.pieces() for part in _parts(entry)]
    last = len(found) - 1
    return [
        Piece(raw, dated, at == last, at == last and bool(book.marks.fences)) for at, (raw, dated) in enumerate(found)
    ]


def _parts(entry: Entry) -> Iterator[tuple[bytes, bool]]:
    """The parser joins neighbouring texts; two that were written by two people must stay two."""
    if entry.sort != TEXT:
        yield entry.raw, True
        return
    lines = entry.raw.split(b"\n")
    heads = [at for at, line in outside_fences([line.decode("latin-1") for line in lines]) if line.startswith("## ")]
    cuts = [0, *(at for at in heads if at), len(lines)]
    for start, end in pairwise(cuts):
        yield b"\n".join(lines[start:end]) + (b"\n" if end < len(lines) else b""), False
