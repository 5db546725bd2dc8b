"""How long a bar is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quant.errors import UsageError

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
YEAR_MS = 365 * UNITS["d"]
_TEXT = re.compile(r"([1-9][0-9]*)([smhdw])")


@dataclass(frozen=True, slots=True, order=True)
class Timeframe:
    """`ms` milliseconds from one open to the next. Weeks begin on Monday, all others at a multiple since 1970."""

    ms: int
    text: str

    @classmethod
    def of(cls, text: str) -> Timeframe:
        """Of `15m`, `4h`, `1d`, `1w`. Raises UsageError."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise UsageError(f"{text!r} is not a timeframe", hint="a number and s, m, h, d or w: 1m, 15m, 4h, 1d, 1w")
        return cls(int(found[1]) * UNITS[found[2]], text)

    @property
    def per_year(self) -> float:
        """Bars in a year of 365 days, around the clock: 35,040 of 15 minutes."""
        return YEAR_MS / self.ms

    def __str__(self) -> str:
        return self.text
