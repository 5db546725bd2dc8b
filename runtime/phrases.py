"""Sentences with holes in them, and the same in another language. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property


class Phrases:
    """`table`: English -> the other language. {names} are taken over as they are; those that begin with `rest` are
    sentences again. The first that fits counts.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """Made when first asked: a service that never needs them should not start later for them."""
        return tuple((_pattern(english), other) for english, other in self._table.items())

    def __call__(self, text: str, inner: Callable[[str], str] | None = None) -> str | None:
        """None: it is no sentence of the table. `inner` puts the parts that are sentences into the language."""
        again = inner or (lambda part: self(part) or part)
        for pattern, other in self._patterns:
            if found := pattern.fullmatch(text):
                values = found.groupdict().items()
                return other.format(**{name: again(part) if name.startswith("rest") else part for name, part in values})
        return None


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", sentence)
    found = (f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile("".join(found), re.DOTALL)
