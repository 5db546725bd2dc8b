"""Where the entries of a log book begin: one pass over its bytes, in offsets, aware of fences.

A heading of level 2 at the start of a line begins an entry when a date follows, and text outside entries when none
does. Between a fence (CommonMark 0.31, 4.5) and its end nothing is a heading. An alert ends with its payload's fence,
because a program wrote it: what follows is text outside entries.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field

TEXT, DATED, ALERT = range(3)
_ALERT = re.compile(rb"## \d{4}-\d\d-\d\d[^|\n]*\| *TV Webhook *\|")
_DATED = re.compile(rb"## \d{4}-\d\d-\d\d(?!\d)")
_NEWLINE, _TICK = b"\n`"
_RUN = {0x60: re.compile(rb"`+"), 0x7E: re.compile(rb"~+")}


@dataclass(slots=True)
class Marks:
    """Pieces of a file: piece n begins at `starts[n]`, ends where the next one begins, and is of `sorts[n]`.

    `fences` are the offsets of fences that never end.
    """

    starts: array[int] = field(default_factory=lambda: array("Q"))
    sorts: bytearray = field(default_factory=bytearray)
    fences: list[int] = field(default_factory=list)

    def add(self, start: int, sort: int) -> None:
        self.starts.append(start)
        self.sorts.append(sort)


def scan(data: bytes) -> Marks:
    """The pieces of `data`, in order and without gaps; none for an empty file."""
    marks, size = Marks(), len(data)
    if data and not data.startswith(b"## "):
        marks.add(0, TEXT)
    heading = 0 if data.startswith(b"## ") else _heading(data, 0)
    ticks, tildes, after = _find(data, b"```", 0), _find(data, b"~~~", 0), 0
    while True:
        fence = min(ticks, tildes)
        while heading < fence:
            _begin(data, marks, heading, after)
            after, heading = 0, _heading(data, heading)
        if fence == size:
            break
        end = _plain(data, fence) or _skip(data, fence, marks)
        if end > 0 and not after and marks.sorts[-1] == ALERT:
            after = end
        at = abs(end)
        ticks = ticks if ticks >= at else _find(data, b"```", at)
        tildes = tildes if tildes >= at else _find(data, b"~~~", at)
        heading = heading if heading >= at else _heading(data, at - 1)
    _rest(data, marks, after, size)
    return marks


def _begin(data: bytes, marks: Marks, heading: int, after: int) -> None:
    _rest(data, marks, after, heading)
    if _ALERT.match(data, heading):
        marks.add(heading, ALERT)
    elif _DATED.match(data, heading):
        marks.add(heading, DATED)
    elif not marks.sorts or marks.sorts[-1] != TEXT:
        marks.add(heading, TEXT)


def _rest(data: bytes, marks: Marks, after: int, end: int) -> None:
    """What stands after an alert's payload and is not blank."""
    if after and after < end and not data[after:end].isspace():
        marks.add(after, TEXT)


def _heading(data: bytes, at: int) -> int:
    found = data.find(b"\n## ", at)
    return len(data) if found < 0 else found + 1


def _find(data: bytes, what: bytes, at: int) -> int:
    found = data.find(what, at)
    return len(data) if found < 0 else found


def _plain(data: bytes, fence: int) -> int:
    """The end of the block at `fence` when it is as programs write them, which most are; 0: it takes a closer look.

    Both fences are three backticks at the start of a line, with none more before the end of the block.
    """
    line_end = data.find(b"\n", fence)
    close = data.find(b"```", line_end) if line_end >= 0 else -1
    if close < 0 or data[close - 1] != _NEWLINE or (fence and data[fence - 1] != _NEWLINE):
        return 0
    if data[fence] != _TICK or data.find(b"`", fence + 3, line_end) >= 0:
        return 0
    return min(close + 4, len(data)) if data[close + 3 : close + 4] in (b"\n", b"") else 0


def _skip(data: bytes, fence: int, marks: Marks) -> int:
    """Where to go on after the run at `fence`; negative when no fenced block began there."""
    line_end = _find(data, b"\n", fence)
    run = _run_end(data, fence)
    mark = data[fence : fence + 1]
    if not _leads(data, fence) or (mark == b"`" and data.find(b"`", run, line_end) >= 0):
        return -line_end
    end = _close(data, data[fence:run], line_end)
    if end < 0:
        marks.fences.append(fence)
        return len(data)
    return end


def _close(data: bytes, mark: bytes, at: int) -> int:
    """The offset after the line that ends a fence of `mark`; -1 when there is none."""
    size = len(data)
    while (found := data.find(mark, at)) >= 0:
        at = _find(data, b"\n", found)
        run = _run_end(data, found)
        if _leads(data, found) and (run == at or not data[run:at].strip()):
            return min(at + 1, size)
    return -1


def _run_end(data: bytes, start: int) -> int:
    found = _RUN[data[start]].match(data, start)
    return found.end() if found else start


def _leads(data: bytes, at: int) -> bool:
    """Nothing but up to three spaces stands before `at` on its line."""
    lead = data[max(0, at - 4) : at]
    before = lead.rstrip(b" ")
    return len(lead) - len(before) <= 3 and (before.endswith(b"\n") or (not before and at <= 3))
