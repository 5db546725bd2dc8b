"""Open dashboards, as far as the server can tell: `python -m benchmarks.runtime.tabs URL HOW_MANY`, until stopped.

Each keeps a line to `/api/stream`, asks for the ledger's figures 2.5 s after news, and for those, the guards and the
candles every 10 s: what `runtime/webui/static/js/dash.js` does.
"""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import urlsplit

NEWS = tuple(f"/api/perf/{page}" for page in ("summary", "open?limit=100", "kpi?days=400", "equity?points=800"))
REGULARLY = (*NEWS[:2], "/api/guards", "/api/bars?limit=300")
OPS_KEY = "ops-key-of-the-benchmark"


class Tab:
    def __init__(self, url: str) -> None:
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self._waiting: dict[tuple[str, ...], asyncio.Task[None]] = {}

    async def live(self) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(_request("/api/stream"))
        assert b" 200 " in await reader.readline(), "no stream"
        regularly = asyncio.create_task(self._every(10, REGULARLY))
        kind = b""
        while line := await reader.readline():
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"data: ") and kind in (b"events", b"hello"):
                self._soon(2.5, NEWS)
        regularly.cancel()

    def _soon(self, seconds: float, paths: tuple[str, ...]) -> None:
        """Once, however often it is wanted meanwhile."""
        waiting = self._waiting.get(paths)
        if waiting is None or waiting.done():
            self._waiting[paths] = asyncio.create_task(self._after(seconds, paths))

    async def _after(self, seconds: float, paths: tuple[str, ...]) -> None:
        await asyncio.sleep(seconds)
        await self._ask(paths)

    async def _every(self, seconds: float, paths: tuple[str, ...]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._ask(paths)

    async def _ask(self, paths: tuple[str, ...]) -> None:
        """One after the other on one connection; a page that is not there is answered too."""
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=1 << 22)
        for path in paths:
            writer.write(_request(path))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length[15:]))
        writer.close()


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Ops-Key: {OPS_KEY}\r\n\r\n".encode()


async def main(url: str, count: int) -> None:
    await asyncio.gather(*(Tab(url).live() for _ in range(count)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
