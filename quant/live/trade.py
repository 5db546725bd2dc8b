"""A closed trade, whichever side it comes from, and which of two lists belong together. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Trade:
    """`opened`, `closed`: milliseconds since 1970, UTC. `side`: long or short. `r`: nan when it had no stop."""

    side: str
    opened: int
    closed: int
    entry: float
    exit: float
    r: float
    name: str = ""


@dataclass(frozen=True)
class Pair:
    """One trade as it was and as the backtest has it. Differences are live minus backtest."""

    live: Trade
    tested: Trade

    @property
    def late(self) -> float:
        """Seconds from the backtest's entry to the live one."""
        return (self.live.opened - self.tested.opened) / 1000

    @property
    def entry(self) -> float:
        return self.live.entry - self.tested.entry

    @property
    def exit(self) -> float:
        return self.live.exit - self.tested.exit

    @property
    def r(self) -> float:
        return self.live.r - self.tested.r

    @property
    def cost(self) -> float:
        """What both fills cost more than the backtest's, as a fraction of the entry: > 0 is against us."""
        way = 1 if self.live.side == "long" else -1
        return way * (self.entry - self.exit) / self.tested.entry


@dataclass(frozen=True)
class Matched:
    pairs: list[Pair]
    only_live: list[Trade]
    only_tested: list[Trade]


def match(live: Sequence[Trade], tested: Sequence[Trade], within: int) -> Matched:
    """Same side, opened at most `within` ms apart; the nearest two first, each trade once. In the order of opening."""
    near = sorted(
        (abs(a.opened - b.opened), i, j)
        for i, a in enumerate(live)
        for j, b in enumerate(tested)
        if a.side == b.side and abs(a.opened - b.opened) <= within
    )
    taken: dict[int, int] = {}
    used = set[int]()
    for _, i, j in near:
        if i not in taken and j not in used:
            taken[i] = j
            used.add(j)
    pairs = [Pair(live[i], tested[j]) for i, j in taken.items()]
    return Matched(
        sorted(pairs, key=lambda pair: pair.live.opened),
        [one for i, one in enumerate(live) if i not in taken],
        [one for j, one in enumerate(tested) if j not in used],
    )


def summary(found: Matched) -> dict[str, float | int | None]:
    """Counts, and means over the pairs (None without one that has the figure)."""
    pairs = found.pairs
    return {
        "matched": len(pairs),
        "only_live": len(found.only_live),
        "only_backtest": len(found.only_tested),
        "late_seconds": _mean([pair.late for pair in pairs]),
        "cost": _mean([pair.cost for pair in pairs]),
        "live_R": _mean([pair.live.r for pair in pairs]),
        "backtest_R": _mean([pair.tested.r for pair in pairs]),
        "R_difference": _mean([pair.r for pair in pairs]),
    }


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else None
