"""FastAPI as tv-webhook and perf use it."""

from __future__ import annotations

import logging
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from runtime import http, openapi
from runtime.gate import Gate
from runtime.http import Direct, Receive, Scope, Send
from runtime.meter import Meter

log = logging.getLogger("runtime.api")


class Api(FastAPI):
    """FastAPI with a short way to a route that must be fast: the framework's layers cost more than an alert's own work.

    Such a route is an ordinary one too: it stands in the OpenAPI page, and other methods get their 405 there.
    """

    def __init__(self, **options: Any) -> None:
        self.meter = Meter()
        self.gate: Gate | None = None
        self.direct: dict[str, Direct] = {}
        """By path, what answers a POST; for a server that has its whole body, see `runtime.direct`."""
        self._declared: dict[str, BaseRoute] = {}
        super().__init__(docs_url=None, redoc_url=None, **options)  # /docs is our own: runtime.webui.reference

    def post_directly(self, path: str, handler: Direct, **options: Any) -> None:
        """Answer POST `path` by `handler`; its exceptions get the same answers as everywhere, see `install`."""

        async def route(request: Request) -> Response:
            return await handler(request.scope, await http.read_body(request))

        async def direct(scope: Scope, body: bytes) -> Response:
            try:
                return await handler(scope, body)
            except Exception as error:
                return self._explained(Request(scope), error)

        self.direct[path] = direct
        self.post(path, **options)(route)
        self._declared[path] = self.routes[-1]

    def _explained(self, request: Request, error: Exception) -> Response:
        kind = next(kind for kind in type(error).__mro__ if kind in self.exception_handlers)
        if kind is Exception:
            log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return cast(Response, self.exception_handlers[kind](request, error))

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            openapi.describe(super().openapi())
        return super().openapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "POST" else ""
        if path not in self.direct:
            await super().__call__(scope, receive, send)
            return
        scope["route"] = self._declared[path]
        request = Request(scope, receive)
        try:
            body = await http.read_body(request)
        except Exception as error:
            response = self._explained(request, error)
        else:
            response = await self.direct[path](scope, body)
        await response(scope, receive, send)


def install(app: FastAPI) -> None:
    """Give each of our exceptions its answer, and the framework's own."""
    http.install(app)
    app.add_exception_handler(RequestValidationError, _bad_query)


def _bad_query(_: Request, error: Any) -> Response:
    first = error.errors()[0]
    field = str(first["loc"][-1])
    return http.refusal(400, f"{field}: {first['msg']}", field=field)
