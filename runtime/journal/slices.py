"""Reading a large log book piece by piece, in memory that does not grow with the file."""

from __future__ import annotations

import os
from collections.abc import Iterator

from runtime.journal.book import Entry, parse

SLICE = 256 * 1024


def pieces(fd: int, start: int, line: int, end: int, size: int = SLICE) -> Iterator[list[tuple[int, Entry]]]:
    """The pieces between the bytes `start` and `end` of the file, a slice of about `size` bytes at a time.

    Each is (its offset in the file, the piece). A piece must begin at `start`, on `line`. The last piece of a slice may
    go on behind it, so the next slice begins with it; a piece that is larger than a slice makes the slice grow.
    """
    want = size
    while start < end:
        data = os.pread(fd, min(want, end - start), start)
        found = list(_placed(data, start, line))
        is_last = start + len(data) >= end or not data
        whole = found if is_last else found[:-1]
        if whole:
            yield whole
        if is_last:
            return
        want = size if whole else want * 2
        start, line = found[-1][0], found[-1][1].line


def _placed(data: bytes, start: int, line: int) -> Iterator[tuple[int, Entry]]:
    for piece in parse(data).pieces():
        piece.line += line - 1
        yield start + piece.start, piece
