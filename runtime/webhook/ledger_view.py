"""What the dashboard shows of the ledger, asked for it: a browser talks to its own origin only.

A ledger that hangs costs nothing but the panels that show it: two threads of its own at most, a second each, and an
answer (or the lack of one) is kept for two seconds, however many pages ask.
"""

from __future__ import annotations

import asyncio
import http.client
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi.responses import Response

from runtime import clock
from runtime.http import refusal

NAMES = ("summary", "equity", "kpi", "open")
LIMIT_SECONDS = 1.0
WAIT_SECONDS = 2.5  # for a thread, and then for the answer
KEPT_SECONDS = 1.0
THREADS = 2
MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A body of JSON, or None when the ledger did not give one."""

    body: bytes | None


class LedgerView:
    """Belongs to the event loop, but for `_fetch`, which runs in its threads."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ledger-view")
        self._kept: dict[str, tuple[float, asyncio.Future[Answer]]] = {}

    async def show(self, path: str) -> Response:
        """The ledger's own answer to `GET /perf/{path}`, else 502."""
        answer = await self._asked(path)
        if answer.body is None:
            return refusal(502, "the ledger does not answer")
        return Response(answer.body, media_type="application/json")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, path: str) -> Answer:
        """One question at a time for each path, and none while its last answer is fresh."""
        now = clock.steady()
        self._kept = {name: kept for name, kept in self._kept.items() if now - kept[0] < KEPT_SECONDS}
        if path not in self._kept:
            loop = asyncio.get_running_loop()
            self._kept[path] = (now, loop.run_in_executor(self._threads, self._fetch, path))
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await asyncio.shield(self._kept[path][1])
        except TimeoutError:
            return Answer(None)

    def _fetch(self, path: str) -> Answer:
        host, port = self._url.hostname or "127.0.0.1", self._url.port or 80
        line = http.client.HTTPConnection(host, port, timeout=LIMIT_SECONDS)
        limit = clock.steady() + LIMIT_SECONDS
        try:
            line.request("GET", f"{self._url.path.rstrip('/')}/perf/{path}")
            answer = line.getresponse()
            body = _read(line, answer, limit)
        except (OSError, http.client.HTTPException):
            return Answer(None)
        finally:
            line.close()
        return Answer(body if answer.status == 200 else None)


def _read(line: http.client.HTTPConnection, answer: http.client.HTTPResponse, limit: float) -> bytes | None:
    """The body; None when it is not whole in time, which a drop now and then would put off for ever."""
    body = bytearray()
    while chunk := answer.read1(65_536):
        body += chunk
        left = limit - clock.steady()
        if left <= 0 or len(body) > MOST_BYTES:
            return None
        if line.sock is not None:
            line.sock.settimeout(left)
    return bytes(body)
