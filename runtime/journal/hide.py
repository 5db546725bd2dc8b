"""Masks secrets in what is shown or indexed: by their patterns, and by values that are known. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from runtime.journal.scrub import find

Span = tuple[int, int]
SHORTEST = 6
"""Characters of a known value that is looked for: a shorter one would mask ordinary words."""


class Hide:
    """`known` are the values of secrets, as they are and as JSON writes them."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        forms = {
            form.encode() for value in known if len(value) >= SHORTEST for form in (value, json.dumps(value)[1:-1])
        }
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile(b"|".join(map(re.escape, longest_first))) if forms else None

    def spans(self, data: bytes) -> list[Span]:
        """Where secrets stand, in order, apart from each other."""
        found = [(one.start, one.end) for one in find(data)]
        if self._known is not None:
            found += [match.span() for match in self._known.finditer(data)]
        return _joined(sorted(found))

    def masked(self, data: bytes) -> bytes:
        """`data` with `***` in the place of each secret, each line still on its line."""
        return covered(data, self.spans(data))


def covered(data: bytes, spans: Iterable[Span]) -> bytes:
    """`data` with `***` over each span."""
    parts, at = [], 0
    for start, end in spans:
        lines = data.count(b"\n", start, end)
        parts += [data[at:start], b"\n***" + b"\n" * (lines - 1) if lines else b"***"]
        at = end
    return b"".join((*parts, data[at:]))


def _joined(spans: list[Span]) -> list[Span]:
    joined = list[Span]()
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
