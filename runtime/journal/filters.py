"""Which entries of a log book are asked for. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runtime.journal.book import KINDS, BookError, Entry

_TIME = re.compile(r"\d{4}(-\d\d(-\d\d([ T]\d\d(:\d\d)?)?)?)?")


@dataclass(frozen=True, slots=True)
class Filter:
    """Kinds (none: all), and from when to when: a year, month, day, hour or minute as the log book writes it.

    `until` takes in all of what it names. With a time, entries that have none are left out.
    """

    kinds: tuple[str, ...] = ()
    since: str = ""
    until: str = ""

    def keeps(self, entry: Entry) -> bool:
        moment = entry.moment.isoformat(" ") if entry.moment and (self.since or self.until) else ""
        if self.kinds and entry.kind not in self.kinds:
            return False
        if (self.since or self.until) and not moment:
            return False
        return moment >= self.since and (not self.until or moment < f"{self.until}~")


def wanted(kinds: str | None = None, since: str | None = None, until: str | None = None) -> Filter:
    """A filter as a person writes it: `session,note`, `2026-02`, `2026-02-15 21:09`. Raises BookError."""
    chosen = tuple(kind.strip() for kind in (kinds or "").split(",") if kind.strip())
    for kind in chosen:
        if kind not in KINDS:
            raise BookError(f"no kind {kind!r}", f"there are {', '.join(KINDS)}")
    return Filter(chosen, _time("since", since), _time("until", until))


def _time(name: str, text: str | None) -> str:
    if text and not _TIME.fullmatch(text):
        raise BookError(f"{name} {text!r} is no time", f"write it as the log book does: --{name} 2026-02-15")
    return (text or "").replace("T", " ")
