"""The bars that fake exchanges have: made of the time alone, so the same on each exchange and at each asking."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

MONDAY = 4 * 86_400_000
WEEK = 7 * 86_400_000
Bar = tuple[int, str, str, str, str, str]
"""Open time in ms, open, high, low, close, volume, as exchanges write them."""


@dataclass
class Market:
    """`base`/`quote`; `listed`: ms of the first trade. `gaps`: [begin, end) without a bar. `ended`: no bar from there.
    `rates`: funding settles each so many ms.
    """

    base: str = "BTC"
    quote: str = "USDT"
    listed: int = 1_500_000_000_000
    ended: int = 2**60
    gaps: list[tuple[int, int]] = field(default_factory=list)
    rates: int = 8 * 3_600_000

    def bars(self, step: int, begin: int, end: int, now: int) -> list[Bar]:
        """Those that open in [begin, end], up to the unfinished one of `now`."""
        offset = MONDAY if step == WEEK else 0
        listed = (self.listed - offset) // step * step + offset  # the bar of the first trade
        first = max(listed, -(-(begin - offset) // step) * step + offset)
        last = min(end, now, self.ended - 1)
        cents = [price(at) for at in range(first, last + 2 * step, step)]
        found = [
            (
                at,
                CENTS[a],
                CENTS[(a if a > b else b) + 50],
                CENTS[(b if a > b else a) - 50],
                CENTS[b],
                VOLUMES[at % 977],
            )
            for at, a, b in zip(range(first, last + 1, step), cents, cents[1:], strict=False)
        ]
        if found and found[-1][0] + step > now:
            found[-1] = _unfinished(found[-1][0], cents[-2], now)
        return [bar for bar in found if not self._in_gap(bar[0])] if self.gaps else found

    def settlements(self, begin: int, end: int, now: int) -> list[tuple[int, str]]:
        first = -(-max(begin, self.listed) // self.rates) * self.rates
        times = range(first, min(end, now) + 1, self.rates)
        return [(at, f"{(at // self.rates * 37 % 201 - 100) / 1e6:.8f}") for at in times]

    def _in_gap(self, at: int) -> bool:
        return any(begin <= at < end for begin, end in self.gaps)


CENTS = [f"{cents / 100:.2f}" for cents in range(30_000)]
VOLUMES = [f"{at + 0.125}" for at in range(977)]
"""Written once: a benchmark asks for 120,000 bars a second."""


def price(at: int) -> int:
    """Cents."""
    return 10_000 + at // 60_000 * 7919 % 10_007


def _unfinished(at: int, opened: int, now: int) -> Bar:
    """Still moving: each asking sees another close."""
    closed = opened + now % 100
    return at, CENTS[opened], CENTS[closed + 50], CENTS[opened - 50], CENTS[closed], "0.001"


def now_ms() -> int:
    return int(time.time() * 1000)
