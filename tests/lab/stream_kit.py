"""A steady stream of requests: each goes out when it is due, whether or not those before it were answered.

Where the machine cannot keep up with it, for other work it has, it is the stream that waits: what is under way has a
limit, far above what a restart makes wait. A request that fails is never the stream's own doing.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
KEPT = 8
TIMEOUT_SECONDS = 60.0
RATE = 200.0
UNDER_WAY = 400


@dataclass
class Stream:
    """POSTs `make(n)` to `url` at `rate` a second: every other one on a connection of its own, the rest on kept ones.

    `answers` has the status and the body for each number; what was not answered is in `failed` with the reason.
    """

    url: str
    make: Callable[[int], Json]
    headers: Json = field(default_factory=dict)
    rate: float = RATE
    answers: dict[int, tuple[int, Json]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0
    seconds: float = 0.0
    """How long it lasted: with `answers`, how many a second there really were."""

    def during(self, work: Callable[[], None]) -> None:
        """Streams while `work` is done, then waits for what is under way."""
        done = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._run(done)))
        thread.start()
        try:
            work()
        finally:
            done.set()
            thread.join()

    async def _run(self, done: threading.Event) -> None:
        due: asyncio.Queue[int | None] = asyncio.Queue()
        kept = [asyncio.create_task(self._keep(due)) for _ in range(KEPT)]
        fresh: set[asyncio.Task[None]] = set()
        number, begun = 0, time.monotonic()
        while not done.is_set():
            await asyncio.sleep(max(0.0, begun + number / self.rate - time.monotonic()))
            while number - len(self.answers) - len(self.failed) >= UNDER_WAY:
                await asyncio.sleep(0.01)
            if number % 2:
                due.put_nowait(number)
            else:
                fresh.add(asyncio.create_task(self._once(number)))
            number += 1
        self.seconds = time.monotonic() - begun
        for _ in kept:
            due.put_nowait(None)
        await asyncio.gather(*kept, *fresh)

    async def _keep(self, due: asyncio.Queue[int | None]) -> None:
        """One connection, used again until the service says goodbye, as an ordinary client does."""
        line: _Line | None = None
        while (number := await due.get()) is not None:
            line = await self._ask(number, line, keep=True)
        if line:
            line.close()

    async def _once(self, number: int) -> None:
        await self._ask(number, None, keep=False)

    async def _ask(self, number: int, line: _Line | None, *, keep: bool) -> _Line | None:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                line = line or await _Line.open(self.url)
                status, body, goes_on = await line.post(self.make(number), self.headers, keep=keep)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.failed[number] = f"{type(error).__name__}: {error}"
            goes_on = False
        else:
            self.answers[number] = (status, body)
            self.slowest = max(self.slowest, time.monotonic() - begun)
        if goes_on:
            return line
        if line:
            line.close()
        return None


@dataclass
class _Line:
    """One connection that speaks just enough HTTP/1.1."""

    path: str
    host: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, url: str) -> _Line:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        return cls(parts.path, parts.netloc, reader, writer)

    async def post(self, body: Json, headers: Json, *, keep: bool) -> tuple[int, Json, bool]:
        """(status, body, whether the connection may be used again)"""
        content = json.dumps(body).encode()
        said = {"Host": self.host, "Content-Length": len(content), "Connection": "keep-alive" if keep else "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in (said | headers).items())
        self.writer.write(f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + content)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in answer.split("\r\n")[1:] if line)
        text = await self.reader.readexactly(int(fields["content-length"]))
        return int(answer.split()[1]), json.loads(text), keep and fields.get("connection") != "close"

    def close(self) -> None:
        with suppress(OSError):
            self.writer.close()
