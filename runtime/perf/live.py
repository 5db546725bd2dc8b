"""What the ledger's stream tells: its summary and the open trades, whenever an event has changed them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection

from runtime import clock
from runtime.payload import Json
from runtime.perf import aggregates, listing, report
from runtime.perf.listing import Filter
from runtime.store import Store
from runtime.webui.assets import bundle
from runtime.webui.stream import Source, frame

MOST_OPEN = 200


class Figures(Source):
    """Told whole each time: they are few, and nothing is lost by missing one."""

    def __init__(self, store: Callable[[], Store], equity0: float) -> None:
        self._store = store
        self._equity0 = equity0
        self._told: int | None = None

    async def hello(self, after: int | None) -> list[bytes]:
        first = frame("hello", {"version": bundle().version, "now": clock.iso(clock.now())})
        return [first, await asyncio.to_thread(self._figures)]

    async def news(self) -> list[bytes]:
        return await asyncio.to_thread(self._new)

    def _new(self) -> list[bytes]:
        with self._store().read() as connection:
            last = aggregates.event_count(connection)
        if last == self._told:
            return []
        self._told = last
        return [self._figures()]

    def _figures(self) -> bytes:
        with self._store().read() as connection:
            return frame("ledger", self._read(connection))

    def _read(self, connection: Connection) -> Json:
        opened = listing.newest(connection, Filter(status="OPEN"), MOST_OPEN).trades
        number = aggregates.event_count(connection)
        return {"number": number, "summary": report.summary(connection, self._equity0), "open": opened}
