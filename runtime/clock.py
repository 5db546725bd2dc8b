"""The one clock. Every moment in the project is an aware UTC datetime made here."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """`moment` in UTC as ISO 8601 with six decimals: fixed width, so text order is time order."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def from_iso(text: str) -> datetime:
    """The reverse of `iso`. Raises ValueError on text without an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no UTC offset in {text!r}")
    return moment.astimezone(UTC)


def steady() -> float:
    """Seconds on a clock that never jumps; only differences mean something."""
    return time.monotonic()


class Watch:
    """Notices that the machine's clock was set, and remembers for `keep` seconds what it showed before.

    Small corrections are followed without a word: time services slew the clock by less than a second at a time.
    """

    SET_SECONDS = 1.0

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._ahead = _ahead()
        self._set: list[tuple[float, float]] = []  # when it was noticed, and how far ahead the clock was before

    def look(self) -> None:
        """Was it set since the last look? Whoever wants to know what it showed then looks often enough."""
        ahead, here = _ahead(), since_boot()
        if abs(ahead - self._ahead) > self.SET_SECONDS:
            self._set.append((here, self._ahead))
        self._ahead = ahead
        self._set = [one for one in self._set if here - one[0] <= self._keep]

    def shown(self, now: datetime) -> tuple[datetime, ...]:
        """`now`, then what the clock would show had it not been set lately."""
        self.look()
        return now, *(now + timedelta(seconds=before - self._ahead) for _, before in self._set)


def _ahead() -> float:
    return time.time() - since_boot()


def since_boot() -> float:
    """Seconds on a clock that nobody sets, that goes on while the machine sleeps, and that all processes share."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
