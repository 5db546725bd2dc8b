"""An exchange on a real socket: candles, funding, markets and the time as five exchanges tell them to ccxt, with their
limits, and with everything that goes wrong at one.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.exchange_market import Market, now_ms
from tests.fakes.exchange_words import WORDS, Reply, Unknown
from tests.fakes.listen import end, serve

REFUSALS = ("429", "418", "403", "500", "503")
ROWS = ("none", "nones", "doubled", "few", "empty")
FAULTS = (*REFUSALS, "hang", "reset", "cut", "short", "html", *ROWS)
"""For the next requests for bars: statuses; the last rows None; all rows None; rows twice; only the newest half of the
rows; no rows; no answer; a closed connection; JSON without its end; a body shorter than its length; a proxy's page with
status 200.
"""


@dataclass(frozen=True)
class Allowance:
    """`weight` in any `seconds`: asking for more is 429, asking on regardless is 418."""

    weight: float
    seconds: float


REAL = {
    "binance": Allowance(6000, 60),
    "binanceusdm": Allowance(2400, 60),
    "bybit": Allowance(600, 5),
    "bitget": Allowance(20, 1),
    "okx": Allowance(40, 2),
}
"""What the exchanges allow one address; OKX's history counts twice, its recent candles once."""
EACH_PATH = ("bitget", "okx")
"""They count each path by itself."""


@dataclass(frozen=True)
class Asked:
    path: str
    query: dict[str, str]
    kind: str
    status: int
    at: float
    weight: float = 1.0


@dataclass
class Exchange:
    """`url` stands in for the exchange's own. `faults` are used up by requests for bars, in order. `ahead`: ms that its
    clock is ahead. `latency`: seconds on the way to it and back. `allowance` None: no limits.
    """

    name: str
    markets: list[Market] = field(default_factory=lambda: [Market(), Market("ETH")])
    faults: deque[str] = field(default_factory=deque)
    allowance: Allowance | None = None
    retry_after: Callable[[], str] | None = None
    ahead: int = 0
    latency: float = 0.0
    hang: float = 5.0
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def start(self) -> Exchange:
        self._words = WORDS[self.name](self.markets, lambda: now_ms() + self.ahead)
        self._spent: defaultdict[str, deque[tuple[float, float]]] = defaultdict(deque)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{serve(self._server)}"
        return self

    def stop(self) -> None:
        end(self._server)

    def __enter__(self) -> Exchange:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def of(self, kind: str) -> list[Asked]:
        """bars, rates, other: what was asked for, in order."""
        return [one for one in self.asked if one.kind == kind]

    def answer(self, path: str, query: dict[str, str]) -> tuple[Reply, str | None]:
        """And what is done to it."""
        try:
            reply = self._words.reply(path, query) or Reply({"code": "404"}, status=404)
        except Unknown:
            reply = self._words.unknown()
        with self._lock:
            fault = self.faults.popleft() if self.faults and reply.kind == "bars" else None
            if fault is None and not self._allowed(path if self.name in EACH_PATH else "", reply.weight):
                fault = "429"
            if fault and fault.isdigit():
                body = self._words.too_many() if fault in ("418", "429") else {"message": "not from here, not now"}
                reply = Reply(body, reply.weight, reply.kind, int(fault))
            self.asked.append(Asked(path, query, reply.kind, reply.status, time.monotonic(), reply.weight))
        return reply, fault

    def _allowed(self, pool: str, weight: float) -> bool:
        if self.allowance is None:
            return True
        now, spent = time.monotonic(), self._spent[pool]
        while spent and spent[0][0] <= now - self.allowance.seconds:
            spent.popleft()
        if sum(one for _, one in spent) + weight > self.allowance.weight:
            return False
        spent.append((now, weight))
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    fake: Exchange
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        reply, fault = self.fake.answer(place.path, dict(parse_qsl(place.query)))
        time.sleep(self.fake.hang if fault == "hang" else self.fake.latency)
        if fault in ("hang", "reset"):
            self.close_connection = True
            return
        body = json.dumps(_spoilt(reply.body, fault) if fault in ROWS else reply.body, separators=(",", ":"))
        if fault == "html":
            body = "<html>try again</html>"
        self._send(reply.status, (body[: len(body) // 2] if fault == "cut" else body).encode(), fault)

    def _send(self, status: int, data: bytes, fault: str | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if fault == "html" else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Set-Cookie", f"seen={time.monotonic()}")
        if status in (418, 429) and self.fake.retry_after is not None:
            self.send_header("Retry-After", self.fake.retry_after())
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if fault == "short" else data)
        self.wfile.flush()
        self.close_connection = fault == "short"


def _spoilt(body: Any, fault: str | None) -> Any:
    """The same answer with its list of rows changed."""
    if isinstance(body, list):
        return _rows(body, fault)
    for key, value in body.items():
        if key in ("data", "list"):
            return body | {key: _rows(value, fault)}
        if isinstance(value, dict):
            return body | {key: _spoilt(value, fault)}
    return body


def _rows(rows: list[Any], fault: str | None) -> list[Any]:
    newest_last = len(rows) < 2 or int(rows[0][0]) < int(rows[-1][0])
    match fault:
        case "none":
            return [*rows[:-3], *([None] * len(row) for row in rows[-3:])]
        case "nones":
            return [[None] * len(row) for row in rows]
        case "doubled":
            return [row for row in rows for _ in range(2)]
        case "few":
            return rows[len(rows) // 2 :] if newest_last else rows[: len(rows) // 2]
    return []
