"""What a check found."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Numbers = dict[str, float | int | str | None]


@dataclass(frozen=True)
class Finding:
    """`flagged`: the backtest's numbers should not be believed before somebody has looked. `numbers` are what `words`
    says."""

    check: str
    subject: str
    flagged: bool
    words: str
    numbers: Numbers = field(default_factory=dict)

    def shown(self) -> dict[str, object]:
        """As JSON has it: what is no number is null."""
        numbers = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self.numbers.items()
        }
        return {
            "check": self.check, "subject": self.subject, "flagged": self.flagged, "words": self.words,
            "numbers": numbers,
        }  # fmt: skip
