"""What is wrong in a log book, line by line. Pure: a book in, problems out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from runtime.journal import fields
from runtime.journal.book import KINDS, Book, Entry
from runtime.journal.local import earlier

_SWALLOWED = re.compile(rb"\n(?=## \d{4}-\d\d-\d\d)")
_OPENER = re.compile(rb"\n {0,3}(?:```|~~~)[`~]* *[A-Za-z]")
_TITLE = re.compile(r"\s*# [^\n]*\s*")


@dataclass(frozen=True, slots=True)
class Problem:
    """`problem` is a word for scripts: see PROBLEMS."""

    line: int
    problem: str
    message: str


PROBLEMS = (
    "parasite", "broken-date", "time-order", "unclosed-fence", "heading-in-fence", "missing-sections",
    "payload-not-json", "payload-key", "duplicate",
)  # fmt: skip


def lint(book: Book, where: tzinfo) -> tuple[dict[str, int], list[Problem]]:
    """How many pieces of each kind (blank text is none), and the problems in the order of their lines."""
    counts, found = Counter[str](), list[Problem]()
    order, seen = _Order(where), _Seen()
    for entry in book.entries():
        kind = entry.kind
        counts[kind] += 1
        checks: tuple[Check, ...] = (*CHECKS[kind], order, seen, _heading_in_fence)
        found += (problem for check in checks for problem in check(entry))
    found += (_unclosed(book, offset) for offset in book.marks.fences)
    return {kind: counts[kind] for kind in KINDS}, sorted(found, key=lambda problem: problem.line)


def is_parasite(entry: Entry) -> bool:
    """Text outside entries that is neither blank nor the file's title at its very top."""
    if entry.kind != "text" or entry.blank:
        return False
    return entry.start > 0 or not _TITLE.fullmatch(entry.text)


def _parasite(entry: Entry) -> Iterator[Problem]:
    if is_parasite(entry):
        blank = len(entry.raw) - len(entry.raw.lstrip())
        line = entry.line + entry.raw.count(b"\n", 0, blank)
        lines = len(entry.raw.strip().splitlines())
        yield Problem(
            line, "parasite", f"{lines} line{'s' * (lines > 1)} outside any entry (./inv journal.fix moves it)"
        )


def _sections(entry: Entry) -> Iterator[Problem]:
    there = {name for name, _, _ in fields.sections(entry.text)}
    missing = [name for name in fields.SECTIONS if name not in there]
    if missing:
        yield Problem(entry.line, "missing-sections", f"the session has no section {', '.join(missing)}")


def _payload(entry: Entry) -> Iterator[Problem]:
    payload = fields.payload(entry.text)
    if payload is None:
        yield Problem(entry.line, "payload-not-json", "the alert's payload is not JSON, or is missing")
    elif isinstance(payload, dict) and payload.get("key") not in (None, "", fields.MASK):
        line = entry.line + entry.raw[: max(entry.raw.find(b'"key"'), 0)].count(b"\n")
        yield Problem(line, "payload-key", "the payload holds the webhook's key: rotate it (./inv journal.scrub)")


def _date(entry: Entry) -> Iterator[Problem]:
    if entry.moment is None:
        yield Problem(entry.line, "broken-date", f"there is no such moment as {entry.timestamp}")


def _heading_in_fence(entry: Entry) -> Iterator[Problem]:
    """A fence whose end was forgotten takes in the next entries, up to a fence of theirs that ends it."""
    found = _SWALLOWED.search(entry.data, entry.start + 1, entry.end)
    if found and _OPENER.search(entry.data, found.end(), entry.end):
        line = entry.line + entry.data.count(b"\n", entry.start, found.end())
        yield Problem(line, "heading-in-fence", "this entry's heading is inside a fence whose end seems forgotten")


class _Order:
    def __init__(self, where: tzinfo) -> None:
        self._where = where
        self._last: datetime | None = None

    def __call__(self, entry: Entry) -> Iterator[Problem]:
        moment, last = entry.moment, self._last
        if moment is not None:
            self._last = moment
            if last is not None and earlier(moment, last, self._where):
                yield Problem(entry.line, "time-order", f"{entry.timestamp} comes after {last:%Y-%m-%d %H:%M}")


class _Seen:
    def __init__(self) -> None:
        self._lines: dict[bytes, int] = {}

    def __call__(self, entry: Entry) -> Iterator[Problem]:
        if entry.kind != "text":
            first = self._lines.setdefault(entry.raw.strip(), entry.line)
            if first != entry.line:
                yield Problem(entry.line, "duplicate", f"the same entry stands on line {first}")


def _unclosed(book: Book, offset: int) -> Problem:
    return Problem(book.line_at(offset), "unclosed-fence", "this fence never ends: what is appended is lost in it")


Check = Callable[[Entry], Iterator[Problem]]
CHECKS: dict[str, tuple[Check, ...]] = {
    "text": (_parasite,),
    "session": (_date, _sections),
    "alert": (_date, _payload),
    "note": (_date,),
}
