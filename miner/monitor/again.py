"""One more look when an alert may end: the collector's own next one may be seconds away."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from runtime import clock

AFTER = 0.01
"""Seconds past the moment: a timer may come a little early."""


class Again:
    """Calls `look` once for each moment that `at` names; it MUST NOT raise."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._due = self._last = math.inf
        self._wake = asyncio.Event()

    def at(self, due: float) -> None:
        """As `Moment.steady` counts; infinity: no look is wanted. The same moment is looked at once."""
        if due not in (self._due, self._last):
            self._due = due
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not await self._changed():
                self._last, self._due = self._due, math.inf
                await self._look()

    async def _changed(self) -> bool:
        """True: another moment was named before this one came."""
        self._wake.clear()
        left = None if self._due == math.inf else max(0.0, self._due - clock.since_boot() + AFTER)
        try:
            async with asyncio.timeout(left):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True
