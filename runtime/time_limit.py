"""One timer for all that wait equally long: `asyncio.timeout` would make and cancel one for each, at some cost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary


class Waits(Protocol):
    """A future, a task, or something of the kind."""

    def done(self) -> bool: ...


W = TypeVar("W", bound=Waits)


class TimeLimit(Generic[W]):
    """Calls `expire` with what is not done `seconds` after `watch`, on the event loop that it was watched on."""

    def __init__(self, seconds: float, expire: Callable[[W], None]) -> None:
        self._seconds = seconds
        self._expire = expire
        # By loop, the first is due first; empty means that no timer runs.
        self._waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, deque[tuple[float, W]]] = WeakKeyDictionary()

    def watch(self, waits: W) -> None:
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(loop)
        if waiting is None:
            waiting = self._waiting[loop] = deque()
        if not waiting:
            loop.call_later(self._seconds, self._sweep, loop)
        while (
            len(waiting) > 1 and waiting[0][1].done()
        ):  # kept until they are due, thousands a second would fill memory
            waiting.popleft()
        waiting.append((loop.time() + self._seconds, waits))

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting = self._waiting[loop]
        while waiting and (waiting[0][1].done() or waiting[0][0] <= loop.time()):
            _, waits = waiting.popleft()
            if not waits.done():
                self._expire(waits)
        if waiting:
            loop.call_at(waiting[0][0], self._sweep, loop)
