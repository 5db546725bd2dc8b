"""From counters that only grow to what happened lately. One that fell was begun anew."""

from __future__ import annotations

from collections import deque

from miner.readings import Reading
from runtime import clock

HOUR = 3600.0


class PerHour:
    """How much each of several counters grew within the last hour."""

    def __init__(self) -> None:
        self._past: dict[str, deque[tuple[float, int]]] = {}

    def of(self, key: str, count: int) -> float:
        now, past = clock.steady(), self._past.setdefault(key, deque())
        if past and count < past[-1][1]:
            past.clear()
        if not past or count != past[-1][1]:
            past.append((now, count))
        while len(past) > 1 and past[1][0] <= now - HOUR:
            past.popleft()
        return float(count - past[0][1])


class Standstill:
    """For how many seconds each of several numbers has not grown. One that fell was begun anew."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, float]] = {}

    def of(self, key: str, number: int) -> float:
        now, before = clock.steady(), self._last.get(key)
        if before is None or number != before[0]:
            self._last[key] = (number, now)
        return now - self._last[key][1]


class Ratios:
    """Parts of totals, told once `seconds` have passed since it was told before, and something was added."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[tuple[str, str], tuple[float, int, int]] = {}

    def of(self, metric: str, target: str, part: int, total: int) -> list[Reading]:
        now, key = clock.steady(), (metric, target)
        before = self._since.get(key)
        if before is not None and total >= before[2] and now - before[0] < self._seconds:
            return []
        self._since[key] = (now, part, total)
        grown = total - before[2] if before is not None else 0
        if before is None or grown <= 0:
            return []
        return [Reading(metric, target, max(0, part - before[1]) / grown)]
