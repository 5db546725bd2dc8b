"""The ping API of Healthchecks on a real socket: /UUID, /UUID/start, /UUID/fail, /UUID/log and /UUID/EXIT-STATUS.

Source: https://healthchecks.io/docs/http_api/ ("Pinging API"): HEAD, GET and POST; 200 with "OK"; a body is kept up to
100 kB; 400 for a URL that is none, 404 "not found" for an unknown check, 409 "ambiguous slug", 429 "rate limited".
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.listen import end, serve

UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"
KEPT = 100_000
_PATH = re.compile(r"/([0-9a-f-]{36}|[A-Za-z0-9_-]{22}/[a-z0-9_-]+)(?:/(start|fail|log|\d{1,3}))?")


@dataclass(frozen=True)
class Ping:
    """`signal`: success, start, fail, log or an exit status."""

    check: str
    signal: str
    method: str
    body: str


@dataclass
class Healthchecks:
    """`url` is the check's ping URL. `refuse` holds statuses for the next pings; `hang` never answers."""

    pings: list[Ping] = field(default_factory=list)
    refuse: list[int] = field(default_factory=list)
    checks: set[str] = field(default_factory=lambda: {UUID})
    hang: bool = False
    port: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self._over = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{UUID}"

    def start(self) -> Healthchecks:
        """Listen; on the same port as before, once it had one."""
        self._over.clear()
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.port = serve(self._server)
        return self

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            self._over.set()
            end(server)

    def signals(self) -> list[str]:
        return [ping.signal for ping in list(self.pings)]

    def wait_for(self, count: int, seconds: float = 30.0) -> list[Ping]:
        """The pings, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.pings) >= count, seconds), self.pings
            return list(self.pings)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        if self.hang:
            self._over.wait(600)
        with self.changed:
            if self.refuse:
                return self.refuse.pop(0), "refused"
            match = _PATH.fullmatch(urlsplit(path).path)
            if match is None:
                return 400, "invalid url format"
            if match[1] not in self.checks:
                return 404, "not found"
            said = body[:KEPT].decode(errors="replace")
            self.pings.append(Ping(match[1], match[2] or "success", method, said))
            self.changed.notify_all()
            return 200, "OK"


class _Handler(BaseHTTPRequestHandler):
    service: Healthchecks
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, text = self.service.answer(self.command, self.path, body)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_POST = do_HEAD = _serve

    def log_message(self, *_: Any) -> None:
        """Quiet."""
