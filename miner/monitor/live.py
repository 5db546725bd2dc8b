"""What the page's stream tells: everything that is known, whenever a cycle has brought something."""

from __future__ import annotations

from collections.abc import Callable

from runtime import clock
from runtime.payload import Json
from runtime.webui.assets import bundle
from runtime.webui.stream import Source, frame


class Figures(Source):
    """Told whole each time: nothing is lost by missing one. `number` counts the cycles."""

    def __init__(self, number: Callable[[], int], miner: Callable[[], Json], monitor: Callable[[], Json]) -> None:
        self._number, self._miner, self._monitor = number, miner, monitor
        self._told: int | None = None

    async def hello(self, after: int | None) -> list[bytes]:
        return [frame("hello", {"version": bundle().version, "now": clock.iso(clock.now())}), *self._figures()]

    async def news(self) -> list[bytes]:
        number = self._number()
        if number == self._told:
            return []
        self._told = number
        return self._figures()

    def _figures(self) -> list[bytes]:
        return [frame("miner", self._miner()), frame("monitor", self._monitor())]
