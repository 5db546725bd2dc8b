"""Between which values a reading changes nothing, so that most readings cost one comparison. A cache, never a state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from math import inf, nextafter

from miner.alerts.rule import Rule, Rules
from miner.readings import Reading

Band = tuple[float, float]
NEVER: Band = (inf, -inf)
"""Nothing is calm: look at every value."""


class Calm:
    """The bands of one `States`; made by whoever first asks, so it never needs to be kept."""

    __slots__ = ("bands", "rules")

    def __init__(self, rules: Rules | None = None, bands: dict[str, dict[str, Band]] | None = None) -> None:
        self.rules = rules
        self.bands: dict[str, dict[str, Band]] = {} if bands is None else bands

    def without(self, changed: Iterable[tuple[str, str]]) -> Calm:
        """The bands of the next states: all but those of these (metric, target)."""
        bands = dict(self.bands)
        for metric, pairs in groupby(sorted(changed), key=lambda one: one[0]):
            stale = {target for _, target in pairs}
            bands[metric] = {name: band for name, band in bands.get(metric, {}).items() if name not in stale}
        return Calm(self.rules, bands)

    def stirring(self, readings: tuple[Reading, ...], make: Callable[[str, str], Band]) -> list[Reading]:
        """The readings that may change something; `make` finds the band of a (metric, target)."""
        found, bands = [], self.bands
        for reading in readings:
            try:
                low, high = bands[reading.metric][reading.target]
            except KeyError:
                low, high = self._made(reading, make)
            value = reading.value
            if (low > high) if value is None else not low <= value <= high:
                found.append(reading)
        return found

    def _made(self, reading: Reading, make: Callable[[str, str], Band]) -> Band:
        band = make(reading.metric, reading.target)
        self.bands.setdefault(reading.metric, {})[reading.target] = band
        return band


def of_rule(rule: Rule) -> Band:
    """Where the rule's condition does not hold."""
    edge = rule.threshold
    if rule.rises:
        return -inf, nextafter(edge, -inf) if rule.is_inclusive else edge
    return nextafter(edge, inf) if rule.is_inclusive else edge, inf
