"""Server-sent events, told to many at the price of one.

While somebody listens, one task asks the source for news and another signs each second. A frame is made once, as bytes,
and put into each listener's bounded queue; one who does not keep up is let go, and comes back for what it missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable

from starlette.responses import Response

from runtime import clock, http
from runtime.payload import Json

BEAT_SECONDS = 1.0
GAP_SECONDS = 0.5
SEND_SECONDS = 5.0
QUEUE = 64
MOST = 32
AWAY_SECONDS = 5

log = logging.getLogger("runtime.stream")


class Source(ABC):
    """What a stream tells. Both run on the event loop and MUST leave it free: what may block is for a thread."""

    @abstractmethod
    async def hello(self, after: int | None) -> list[bytes]:
        """The frames a new listener begins with: all it needs, or what came after event `after`."""

    @abstractmethod
    async def news(self) -> list[bytes]:
        """The frames for what is new since the last call, bounded; none when nothing is."""


def frame(kind: str, data: Json, number: int | None = None) -> bytes:
    """One event of the stream; `number` is where a listener that lost its line goes on from."""
    lines = [f"id: {number}"] if number is not None else []
    lines += [f"event: {kind}", f"data: {json.dumps(data, allow_nan=False, separators=(',', ':'))}"]
    return ("\n".join(lines) + "\n\n").encode()


class _Listener:
    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        self._over = False

    def tell(self, data: bytes) -> None:
        if self.queue.full():
            self.end()
        elif not self._over:
            self.queue.put_nowait(data)

    def end(self) -> None:
        """At once: what still waits in the queue is missed, and asked for again by one who comes back."""
        if not self._over:
            self._over = True
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


class Live:
    """Belongs to the event loop: every method is called from it."""

    def __init__(self, source: Source, *, most: int = MOST, gap: float = GAP_SECONDS) -> None:
        self._source = source
        self._most = most
        self._gap = gap
        self._listeners: set[_Listener] = set()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def wake(self) -> None:
        """Something was committed. Costs nothing while nobody listens."""
        if self._listeners:
            self._woken.set()

    def connect(self, last: str | None) -> Response:
        """The answer to one who wants to listen; 503 when it is not the time or there are too many."""
        if self._closed:
            return http.refusal(503, "the service is stopping", Retry_After="1")
        if len(self._listeners) >= self._most:
            return http.refusal(503, f"{self._most} pages listen already", Retry_After=str(AWAY_SECONDS))
        after = int(last) if last and last.isdecimal() and len(last) < 19 else None
        return _Stream(self, after)

    def close(self) -> None:
        """End every stream at once, and take no new one: the service stops."""
        self._closed = True
        for one in self._listeners:
            one.end()
        self._rest()

    async def opened(self, after: int | None) -> tuple[_Listener, list[bytes]]:
        """Listening begins before the first look, so that nothing falls between; what comes twice has its number."""
        listener = _Listener()
        self._listeners.add(listener)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._look())]
        return listener, await self._asked(self._source.hello(after))

    def left(self, listener: _Listener) -> None:
        self._listeners.discard(listener)
        if not self._listeners:
            self._rest()

    def _rest(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _beat(self) -> None:
        """By itself, so that a store that hangs does not look like a service that died."""
        while True:
            self._tell([frame("beat", {"now": clock.iso(clock.now())})])
            await asyncio.sleep(BEAT_SECONDS)

    async def _look(self) -> None:
        """At each commit, but at most every `gap` seconds: under load many alerts share one frame."""
        while True:
            self._tell(await self._asked(self._source.news()))
            await asyncio.sleep(self._gap)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS - self._gap):
                    await self._woken.wait()
            self._woken.clear()

    async def _asked(self, question: Awaitable[list[bytes]]) -> list[bytes]:
        """The source's frames, or one that says why there are none: a stream outlives a store that cannot be read."""
        try:
            return await question
        except Exception as error:
            log.warning("nothing to tell: %s: %s", type(error).__name__, error)
            return [frame("trouble", {"error": "the store cannot be read; see the service's log"})]

    def _tell(self, frames: Iterable[bytes]) -> None:
        data = b"".join(frames)
        if data:
            for listener in tuple(self._listeners):
                listener.tell(data)


class _Stream(Response):
    """One listener's answer. It closes its connection at the end, so that a service that drains is not kept waiting."""

    media_type = "text/event-stream"

    def __init__(self, live: Live, after: int | None) -> None:
        super().__init__(headers={"Connection": "close", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._live = live
        self._after = after

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope.get("runtime.head"):
            await send({"type": "http.response.body", "body": b""})
            return
        listener, first = await self._live.opened(self._after)
        watch = asyncio.create_task(_left(receive, listener))
        try:
            await self._tell(listener, b"retry: 1000\n\n" + b"".join(first), send)
        except TimeoutError:
            log.info("a listener did not take a frame within %g s and is let go", SEND_SECONDS)
        finally:
            watch.cancel()
            self._live.left(listener)

    async def _tell(self, listener: _Listener, data: bytes | None, send: http.Send) -> None:
        while data is not None:
            async with asyncio.timeout(SEND_SECONDS):
                await send({"type": "http.response.body", "body": data, "more_body": True})
            data = await listener.queue.get()
        async with asyncio.timeout(SEND_SECONDS):
            await send({"type": "http.response.body", "body": b""})


async def _left(receive: http.Receive, listener: _Listener) -> None:
    """A GET has no more body: the next message that is not one says that the caller has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()
