"""What the dashboard's stream tells: the alerts as they are committed, the state, and whether the service is ready."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, or_, select

from runtime import clock
from runtime.payload import Json
from runtime.store import Store, tables
from runtime.webhook import events
from runtime.webui.assets import bundle
from runtime.webui.stream import Source, frame

FIRST = 200
LOOKED_AT = 5000
IDLE = ("ignored", "updated")
MOST = 100
READY_SECONDS = 5.0
STATE_SECONDS = 0.9  # it counts what each sink still owes, which takes longer while they owe much

events_ = tables.events.c


class Feed(Source):
    """`state` may block (it reads the store); `ready` gives GET /ready's answer; `say` words reasons for the page."""

    def __init__(
        self,
        store: Callable[[], Store],
        state: Callable[[], Json],
        ready: Callable[[], Awaitable[Json]],
        say: Callable[[str], str],
    ) -> None:
        self._store = store
        self._say = say
        self._state = state
        self._ready = ready
        self._last: int | None = None
        self._said: Json = {}
        self._readiness: Json = {}
        self._readiness_due = 0.0
        self._state_due = 0.0

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
        told = [frame("events", {"events": found, "skipped": skipped}, found[0]["_id"])] if found else []
        if clock.steady() >= self._state_due:
            self._state_due = clock.steady() + STATE_SECONDS
            state = {"state": await asyncio.to_thread(self._state), "ready": self._readiness}
            if state != self._said:
                self._said = state
                told.append(frame("state", state))
        return told

    def _missed(self, after: int | None) -> tuple[list[Json], bool]:
        """The newest alerts, and whether some between `after` and them are left out."""
        with self._store().read() as connection:
            last = events.totals(connection).count
            oldest = max(last - LOOKED_AT, after or 0)
            found = [self._worded(alert) for alert in _after(connection, oldest, FIRST)]
        return found, after is not None and (oldest > after or len(found) == FIRST)

    def _new(self) -> tuple[list[Json], int]:
        with self._store().read() as connection:
            last = events.totals(connection).count
            if self._last is None or last < self._last:
                self._last = last
            before, self._last = self._last, last
            found = [self._worded(alert) for alert in _after(connection, before, MOST)] if last > before else []
        return found, last - before - MOST if len(found) == MOST else 0

    def _worded(self, alert: Json) -> Json:
        if alert.get("_why"):
            alert["_why"] = self._say(alert["_why"])
        for finding in alert.get("_guards", ()):
            finding["text"] = self._say(finding["text"])
        return alert

    async def _look_ready(self) -> None:
        """It commits a row, so it is asked now and then, and once for all who listen."""
        if clock.steady() >= self._readiness_due:
            self._readiness_due = clock.steady() + READY_SECONDS
            self._readiness = await self._ready()


def _after(connection: Connection, number: int, limit: int) -> list[Json]:
    """The newest alerts after event `number`, newest first. A bar that did nothing is a candle, not an alert."""
    alert = or_(events_.event_type.is_(None), events_.event_type != "BAR", events_.outcome.not_in(IDLE))
    query = select(tables.events).where(events_.id > number, alert).order_by(events_.id.desc()).limit(limit)
    return [events.stamped(row) for row in connection.execute(query)]


async def readiness(asked: Awaitable[object]) -> Json:
    """What GET /ready says, whatever its status."""
    body = getattr(await asked, "body", b"{}")
    found: Json = json.loads(body)
    return found
