"""GET and POST over plain sockets: the monitor asks so little that a client library would cost a tenth of its memory.

HTTP/1.1 with `Connection: close`; the body is bounded. Source: RFC 9112.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Raises ValueError when it is not one JSON object."""
        found = json.loads(self.body)
        if not isinstance(found, dict):
            raise ValueError("expected a JSON object")
        return found


async def get(url: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Raises OSError, ValueError on what is no HTTP. The caller limits the time."""
    return await _ask("GET", url, headers or {}, b"")


async def post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Like `get`."""
    return await _ask("POST", url, {"Content-Length": str(len(body)), **(headers or {})}, body)


async def _ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(host, port, ssl=_trust() if secure else None, limit=LARGEST)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = {"Host": parts.netloc.rpartition("@")[2], "Connection": "close", "Accept-Encoding": "identity"}
        said = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{said}\r\n".encode("ascii") + body)
        return await _read(reader)
    except asyncio.IncompleteReadError as error:
        raise ValueError("the answer was cut off") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Answer:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError as error:
        raise ValueError("the answer's head is too long") from error
    first, *lines = head.strip().split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/1.") or not words[1:2] or not words[1].isdecimal():
        raise ValueError("the answer is no HTTP")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(words[1]), headers, await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunks(reader)
    length = headers.get("content-length", "")
    if length.isdecimal():
        if int(length) > LARGEST:
            raise ValueError("the answer is too long")
        return await reader.readexactly(int(length))
    body = await reader.read(LARGEST + 1)
    while (more := await reader.read(LARGEST)) and len(body) <= LARGEST:
        body += more
    return body[:LARGEST]


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        if len(body) + size > LARGEST:
            raise ValueError("the answer is too long")
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return body


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
