"""What the dashboard's stream tells: the alerts as they are committed, the state, and whether the service is ready."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from sqlalchemy import select

from runtime import clock
from runtime.payload import Json
from runtime.store import Store, tables
from runtime.webhook import events
from runtime.webui.assets import bundle
from runtime.webui.stream import Source, frame

FIRST = 200
MOST = 100
READY_SECONDS = 5.0


class Feed(Source):
    """`state` may block (it reads the store); `ready` is the answer of GET /ready."""

    def __init__(
        self, store: Callable[[], Store], state: Callable[[], Json], ready: Callable[[], Awaitable[Json]]
    ) -> None:
        self._store = store
        self._state = state
        self._ready = ready
        self._last: int | None = None
        self._said: Json = {}
        self._readiness: Json = {}
        self._readiness_due = 0.0

    async def hello(self, after: int | None) -> list[bytes]:
        await self._look_ready()
        found, missed = await asyncio.to_thread(self._missed, after)
        state = await asyncio.to_thread(self._state)
        first = {"version": bundle().version, "now": clock.iso(clock.now()), "missed": missed, "events": found}
        number = found[0]["_id"] if found else after
        return [frame("hello", first, number), frame("state", {"state": state, "ready": self._readiness})]

    async def news(self) -> list[bytes]:
        """Newest first, at most `MOST` in a frame: a flood is not worth more to a person than its end."""
        await self._look_ready()
        found, skipped = await asyncio.to_thread(self._new)
        state = {"state": await asyncio.to_thread(self._state), "ready": self._readiness}
        told = [frame("events", {"events": found, "skipped": skipped}, found[0]["_id"])] if found else []
        if state != self._said:
            self._said = state
            told.append(frame("state", state))
        return told

    def _missed(self, after: int | None) -> tuple[list[Json], bool]:
        """The newest events, and whether some between `after` and them are left out."""
        with self._store().read() as connection:
            found = events.recent(connection, FIRST, "all")
        if after is None:
            return found, False
        newer = [one for one in found if one["_id"] > after]
        return newer, len(newer) == FIRST and newer[-1]["_id"] > after + 1

    def _new(self) -> tuple[list[Json], int]:
        with self._store().read() as connection:
            last = events.totals(connection).count
            if self._last is None or last < self._last:
                self._last = last
            before, self._last = self._last, last
            if last == before:
                return [], 0
            query = select(tables.events).where(tables.events.c.id > before).order_by(tables.events.c.id.desc())
            found = [events.stamped(row) for row in connection.execute(query.limit(MOST))]
        return found, max(0, last - before - len(found))

    async def _look_ready(self) -> None:
        """It commits a row, so it is asked now and then, and once for all who listen."""
        if clock.steady() >= self._readiness_due:
            self._readiness_due = clock.steady() + READY_SECONDS
            self._readiness = await self._ready()


async def readiness(asked: Awaitable[object]) -> Json:
    """What GET /ready says, whatever its status."""
    body = getattr(await asked, "body", b"{}")
    found: Json = json.loads(body)
    return found
