"""Makes cycles: every few seconds of all that was measured since the last, and at once of what changed meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from miner.monitor.board import Board
from miner.readings import Cycle, Moment
from miner.waiting import woken
from runtime import clock

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
GATHER = 0.3
"""Collectors of the same interval begin together; so long later the cycle takes what they have."""
TOGETHER = 0.03

log = logging.getLogger("miner.monitor")


def boot() -> str:
    """Which run of the kernel this is."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"


def moment(boot_id: str) -> Moment:
    return Moment(clock.now(), clock.since_boot(), boot_id)


class Pulse:
    """`observe` takes each cycle, and whether it is a whole one. It MAY raise: the next cycle comes all the same."""

    def __init__(
        self,
        board: Board,
        within: Callable[[], dict[str, str]],
        observe: Callable[[Cycle, bool], Awaitable[None]],
        interval: float,
    ) -> None:
        self._board, self._within, self._observe, self._interval = board, within, observe, interval
        self._boot = boot()
        self._hurry = asyncio.Event()
        self.cycles = 0
        self.seconds = 0.0
        """What the last whole cycle took."""
        self.beaten = clock.steady()

    def hurry(self) -> None:
        """Something changed that people are told of."""
        self._hurry.set()

    def now(self) -> Moment:
        return moment(self._boot)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.beat(whole=await self._due())

    async def beat(self, *, whole: bool) -> None:
        begun = clock.steady()
        cycle = Cycle(self.now(), self._board.take(), self._within())
        try:
            await self._observe(cycle, whole)
        except Exception:
            log.exception("a cycle could not be judged")
        self.beaten = clock.steady()
        if whole:
            self.cycles += 1
            self.seconds = self.beaten - begun

    async def _due(self) -> bool:
        """True: a whole cycle is due. False: something hurries, and what came with it has had its moment."""
        return not await woken(self._hurry, self._rest(), TOGETHER)

    def _rest(self) -> float:
        return self._interval - (clock.steady() - min(GATHER, self._interval / 2)) % self._interval
