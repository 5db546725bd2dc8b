"""One timer for all writes that wait: `asyncio.timeout` would make and cancel one for each, at some cost."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from runtime.store.errors import StoreError


class TimeLimit:
    """Gives futures of one event loop a StoreError when they are not done `seconds` after `watch`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()  # the first is due first
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, future: asyncio.Future[Any]) -> None:
        loop = future.get_loop()
        self._waiting.append((loop.time() + self._seconds, future))
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= loop.time()):
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(StoreError(f"no commit within {self._seconds:g} s"))
        self._timer = loop.call_at(self._waiting[0][0], self._sweep, loop) if self._waiting else None
