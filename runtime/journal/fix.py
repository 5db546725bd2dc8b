"""Moves text that stands outside entries into an entry of its own at the end. Pure: bytes in, bytes out."""

from __future__ import annotations

import re

from runtime.journal.book import Book, BookError, Entry, parse
from runtime.journal.lint import is_parasite

TITLE = "Texte hors entrées, déplacé par journal.fix"
_RUNS = re.compile(rb"`+")


def parasites(book: Book) -> list[Entry]:
    """What `fixed` would move."""
    return [piece for piece in book.pieces() if is_parasite(piece)]


def fixed(data: bytes, when: str) -> bytes:
    """`data` with each parasite, byte for byte, in a fence of an entry dated `when`; `data` itself if there is none.

    Raises BookError when a fence never ends: an entry appended after it would be inside it.
    """
    book = parse(data)
    moved = parasites(book)
    if not moved:
        return data
    if book.marks.fences:
        line = book.line_at(book.marks.fences[0])
        raise BookError(f"the fence on line {line} never ends", "add its closing line, then do it again")
    kept = b"".join(_in_place(piece) for piece in book.pieces())
    end = b"" if not kept or kept.endswith(b"\n\n") else b"\n" if kept.endswith(b"\n") else b"\n\n"
    return kept + end + _entry(moved, when)


def _in_place(piece: Entry) -> bytes:
    if not is_parasite(piece):
        return piece.raw
    return b"\n" if piece.start > 0 and piece.end < len(piece.data) else b""


def _entry(moved: list[Entry], when: str) -> bytes:
    return f"## {when} — {TITLE}\n".encode() + b"".join(_quoted(piece) for piece in moved)


def _quoted(piece: Entry) -> bytes:
    longest = max((len(run) for run in _RUNS.findall(piece.raw)), default=0)
    fence = b"`" * max(3, longest + 1)
    end = b"" if piece.raw.endswith(b"\n") else b"\n"
    return b"\nLigne %d:\n%stext\n%s%s%s\n" % (piece.line, fence, piece.raw, end, fence)
