"""What all services share at the edge: reading a bounded body, answering in JSON, refusing politely.

Starlette's alone: the monitor does without FastAPI, whose models take a third of the memory it may have.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from starlette import routing
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from runtime import clock, logs
from runtime.auth import Forbidden, Unauthorized
from runtime.encoder import encode
from runtime.gate import Gate
from runtime.meter import Meter
from runtime.payload import Invalid, NotJson
from runtime.store import StoreError
from runtime.time_limit import TimeLimit

MAX_BODY = 64 * 1024
BODY_SECONDS = 10.0
RETRY_AFTER_SECONDS = 2

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Handler = Callable[[Request], Awaitable[Response]]
Direct = Callable[[Scope, bytes], Awaitable[Response]]
"""Answers a request by its scope and its whole body, which is within MAX_BODY."""
Answer = tuple[int, list[Header], bytes]

_ALWAYS = ((b"x-content-type-options", b"nosniff"),)
_NEVER_KEPT = (b"cache-control", b"no-store")
_NO_ROUTE = "other"
GOODBYE: Header = (b"connection", b"close")

_dumps = encode(ascii_only=True, compact=True)

log = logging.getLogger("runtime.http")


class TooLarge(Exception):
    """The body is over the limit (413)."""


class TooSlow(Exception):
    """The body did not arrive in time (408)."""


class JsonResponse(Response):
    """JSON in ASCII: half a surrogate pair echoed from a request cannot break the answer."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        if headers:
            super().__init__(content, status_code, headers)
            return
        # What that comes to without headers.
        self.status_code, self.background = status_code, None
        self.body = self.render(content)
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", b"application/json")]

    def render(self, content: Any) -> bytes:
        return _dumps(content).encode("ascii")


class Edge:
    """ASGI wrapper: HEAD is answered like GET, every answer says nosniff, and says goodbye while the service drains.

    An application with a `gate` is asked only what the gate lets in. Each request has an id, is measured until its
    answer begins, and gets a line in the log when it changed something or was refused.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._meter: Meter = getattr(app, "meter", None) or Meter()
        self._gate: Gate | None = getattr(app, "gate", None)
        self._direct: dict[str, Direct] = getattr(app, "direct", {})
        self._paths = frozenset(path.encode("ascii") for path in self._direct)
        self.draining = False

    def takes(self, method: bytes, url: bytes) -> bool:
        """Whether `answer` may be asked instead of the application."""
        return url in self._paths and method == b"POST"

    async def answer(self, scope: Scope, body: bytes) -> Answer:
        """What a POST with this body is answered by one of the application's direct paths, like by `__call__`."""
        begun, headers, path = clock.steady(), dict(scope["headers"]), scope["path"]
        request = logs.begin(headers.get(b"x-request-id"))
        why = self._refusal(scope, headers)
        response = refusal(403, why) if why is not None else await self._direct[path](scope, body)
        status, seconds, route = response.status_code, clock.steady() - begun, path if why is None else _NO_ROUTE
        self._meter.request("POST", route, status, seconds)
        _tell(request, "POST", route, status, seconds)
        return status, self._dress(response.raw_headers, request.id), bytes(response.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked, begun, status, seconds = scope["method"], clock.steady(), 0, 0.0
        headers = dict(scope["headers"])  # of a header that comes twice, the last: the one nearest to us wrote it
        request = logs.begin(headers.get(b"x-request-id"))
        app = self._behind_gate(scope, headers)

        async def dressed(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], clock.steady() - begun
                message["headers"] = self._dress(list(message.get("headers", ())), request.id)
            await send(message)

        if asked == "HEAD":
            scope = {**scope, "method": "GET", "runtime.head": True}
        try:
            await app(scope, receive, dressed)
        finally:
            route = _route(scope)
            self._meter.request(asked, route, status, seconds or clock.steady() - begun)
            if asked not in ("GET", "HEAD") or status >= 400:
                _tell(request, asked, route, status, seconds)

    def _behind_gate(self, scope: Scope, headers: dict[bytes, bytes]) -> App:
        why = self._refusal(scope, headers)
        return self._app if why is None else refusal(403, why)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> str | None:
        if self._gate is None:
            return None
        peer = scope["client"][0] if scope.get("client") else None
        return self._gate.refusal(scope["method"], scope["path"], peer, headers)

    def _dress(self, headers: list[Header], request_id: str) -> list[Header]:
        """A page's own files say themselves how long they may be kept; nothing else may be."""
        headers += _ALWAYS
        for name, _ in headers:
            if name == b"cache-control":
                break
        else:
            headers.append(_NEVER_KEPT)
        headers.append((b"x-request-id", request_id.encode("ascii")))
        return [*headers, GOODBYE] if self.draining else headers


def _route(scope: Scope) -> str:
    """The path as it is declared; `other` for what no route took."""
    route = scope.get("route")
    return getattr(route, "path", None) or _NO_ROUTE


def _tell(request: logs.Request, method: str, route: str, status: int, seconds: float) -> None:
    """One line; 0 is the status of a caller who left before the answer."""
    logs.tell(
        {
            "level": "error" if status >= 500 else "info",
            "logger": "runtime.http",
            "msg": "request",
            "method": method,
            "path": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            **request.said,
            "request": request.id,
        }
    )


class Route(routing.Route):
    """A route that a plain Starlette application is given; it says that it took the request, as FastAPI's do."""

    def matches(self, scope: Scope) -> tuple[routing.Match, Scope]:
        match, child = super().matches(scope)
        return match, {**child, "route": self} if child else child


class _Reading:
    """A task that reads a body."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task: asyncio.Task[Any] | None = task
        self.over = self.expired = False

    def done(self) -> bool:
        return self.over

    def expire(self) -> None:
        self.expired = True
        if self.task is not None:
            self.task.cancel()

    def end(self) -> None:
        """Let go of the task: one slow body may hold up the list of all that came after it."""
        self.over, self.task = True, None


_readings: TimeLimit[_Reading] = TimeLimit(BODY_SECONDS, _Reading.expire)


def header(scope: Scope, name: bytes) -> str | None:
    """The last line of a header, named in small letters; Starlette's way makes an object of all of them first."""
    found = None
    for one, value in scope["headers"]:
        if one == name:
            found = value
    return found.decode("latin-1") if found is not None else None


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The body, held to `limit` bytes while it arrives. Raises TooLarge, TooSlow.

    The connection is left open after a refusal: the server discards the rest, and the sender gets to read its 413.
    """
    declared = header(request.scope, b"content-length") or ""
    if declared.isdecimal() and len(declared) < 20 and int(declared) > limit:
        raise TooLarge
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that is awaited runs in one
    reading = _Reading(task)
    _readings.watch(reading)
    try:
        return await _read(request, limit)
    except asyncio.CancelledError:
        if not reading.expired or task.uncancel():  # somebody else cancelled it too
            raise
        raise TooSlow from None
    finally:
        reading.end()


async def _read(request: Request, limit: int) -> bytes:
    """Of the server's own messages: nearly every body is one, and Starlette's stream costs more than reading it."""
    body, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise TooLarge
    return body


def refusal(status: int, error: str, *, field: str | None = None, **headers: str) -> JsonResponse:
    """`{"ok": false, "error": ..., "field": ...}`; header names are given with underscores."""
    content: dict[str, Any] = {"ok": False, "error": error}
    if field is not None:
        content["field"] = field[:64]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JsonResponse(content, status_code=status, headers=named)


def install(app: Starlette) -> None:
    """Give each of our exceptions its answer."""
    app.add_exception_handler(TooLarge, lambda *_: refusal(413, f"the body is over {MAX_BODY} bytes"))
    app.add_exception_handler(TooSlow, lambda *_: refusal(408, "the body did not arrive in time"))
    app.add_exception_handler(Forbidden, lambda *_: refusal(403, "forbidden"))
    app.add_exception_handler(Unauthorized, _unauthorized)
    app.add_exception_handler(NotJson, lambda _, error: refusal(400, str(error)))
    app.add_exception_handler(Invalid, _invalid)
    app.add_exception_handler(StoreError, _unavailable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, lambda *_: Response(status_code=400))
    app.add_exception_handler(Exception, lambda *_: refusal(500, "internal error; see the service's log"))


def _unauthorized(_: Request, __: Exception) -> Response:
    return refusal(401, "a bearer token is required", WWW_Authenticate='Bearer realm="perf"')


def _invalid(_: Request, error: Any) -> Response:
    return refusal(400, str(error)[:300], field=error.field)


def _unavailable(_: Request, error: Exception) -> Response:
    log.error("store unavailable, answered 503: %s", error)
    return refusal(503, "cannot store now, send again", Retry_After=str(RETRY_AFTER_SECONDS))


def _http(_: Request, error: Any) -> Response:
    return refusal(error.status_code, str(error.detail), **dict(error.headers or {}))
