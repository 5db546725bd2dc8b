"""Counting what happens, for a price that a request does not notice: plain numbers, no lock, nothing to look up.

Each number has one writer (the event loop, or the store's thread) and is read now and then by whoever scrapes; a reader
may see one observation in the count that is not yet in the sum.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

REQUEST_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Histogram:
    """How often a value was at most each of `bounds`, and the sum of all."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """(upper bound, how many at most that), the last one `+Inf`."""
        found, below = list[tuple[str, float]](), 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            below += count
            found.append((bound, below))
        return found


class Meter:
    """One service's requests by method, route and status, and its alerts or events by names known beforehand."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, int], Histogram] = {}
        self.counts: Counter[tuple[str, ...]] = Counter()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is a path as it is declared, never as it was asked for: strangers must not make new names here."""
        key = (method if method in METHODS else "other", route, status)
        found = self._requests.get(key)
        if found is None:
            found = self._requests[key] = Histogram(REQUEST_BOUNDS)
        found.observe(seconds)

    def requests(self) -> Iterator[tuple[tuple[str, str, int], Histogram]]:
        return iter(list(self._requests.items()))
