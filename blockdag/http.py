"""One question over HTTP, on a Unix socket or by TCP, with one time limit for all of it.

HTTP/1.0 on purpose: a server MUST NOT answer it in chunks (RFC 9112, 6.1), and closes the connection after the answer.
`http.client` would double the time that the probe takes to start.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runtime import clock

LARGEST = 4_000_000
PIECE = 65_536
Place = Path | tuple[str, int]
"""A socket's path, or a host and a port."""


class Unanswered(Exception):
    """There is no answer to use; told as it is."""


class Silent(Unanswered):
    """Nobody listens, or whoever does gives no answer."""


class Strange(Unanswered):
    """What came is no answer of such a server."""


class Answer(NamedTuple):
    status: int
    body: bytes

    def json(self) -> Any:
        """Raises Strange."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Strange("its answer is not JSON") from None


def get(place: Place, path: str, seconds: float) -> Answer:
    """Raises Unanswered; OSError when nobody can be reached."""
    return _ask(place, _head("GET", path, {}), seconds)


def post(place: Place, path: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
    """Like `get`."""
    return _ask(place, _head("POST", path, {**headers, "Content-Length": str(len(body))}) + body, seconds)


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    said = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", **headers}.items())
    return f"{method} {path} HTTP/1.0\r\n{said}\r\n".encode()


def _ask(place: Place, request: bytes, seconds: float) -> Answer:
    until = clock.steady() + seconds
    family = socket.AF_UNIX if isinstance(place, Path) else socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    with socket.socket(family) as line:
        line.settimeout(seconds)
        try:
            line.connect(str(place) if isinstance(place, Path) else place)
            line.sendall(request)
            return _answer(_read(line, until))
        except TimeoutError:
            raise Silent(f"no answer within {seconds:g} s") from None
        except (ConnectionResetError, BrokenPipeError):
            raise Silent("the connection is closed without an answer") from None


def _read(line: socket.socket, until: float) -> bytes:
    """To the end of the connection. Raises TimeoutError, also when it drips and never ends."""
    found = bytearray()
    while True:
        line.settimeout(max(0.001, until - clock.steady()))
        piece = line.recv(PIECE)
        found += piece
        if not piece:
            return bytes(found)
        if len(found) > LARGEST:
            raise Strange(f"the answer is longer than {LARGEST // 1_000_000} MB")
        if clock.steady() > until:
            raise TimeoutError


def _answer(raw: bytes) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    if not raw:
        raise Silent("the connection is closed without an answer")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/1.") or not words[1:2] or not words[1].isdecimal():
        raise Strange("the answer is no HTTP")
    for name, _, value in (line.partition(":") for line in lines):
        if name.strip().lower() == "content-length" and value.strip().isdecimal() and int(value) > len(body):
            raise Silent("the answer was cut off")
    return Answer(int(words[1]), body)
