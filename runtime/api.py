"""FastAPI as tv-webhook and perf use it."""

from __future__ import annotations

from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from runtime import http, openapi
from runtime.gate import Gate
from runtime.http import Handler, Receive, Scope, Send
from runtime.meter import Meter


class Api(FastAPI):
    """FastAPI with a short way to a route that must be fast: the framework's layers cost more than an alert's own work.

    Such a route is an ordinary one too: it stands in the OpenAPI page, and other methods get their 405 there.
    """

    def __init__(self, **options: Any) -> None:
        self.meter = Meter()
        self.gate: Gate | None = None
        self._short: dict[str, Handler] = {}
        self._declared: dict[str, BaseRoute] = {}
        super().__init__(docs_url=None, redoc_url=None, **options)  # /docs is our own: runtime.webui.reference

    def post_directly(self, path: str, handler: Handler, **options: Any) -> None:
        """Answer POST `path` by `handler`; its exceptions get the same answers as everywhere, see `install`."""
        self._short[path] = handler
        self.post(path, **options)(handler)
        self._declared[path] = self.routes[-1]

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            openapi.describe(super().openapi())
        return super().openapi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._short.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if handler is None:
            await super().__call__(scope, receive, send)
            return
        scope["route"] = self._declared[scope["path"]]
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except Exception as error:
            kind = next(kind for kind in type(error).__mro__ if kind in self.exception_handlers)
            response = cast(Response, self.exception_handlers[kind](request, error))
            await response(scope, receive, send)
            if kind is Exception:
                raise  # to the server, which logs it
        else:
            await response(scope, receive, send)


def install(app: FastAPI) -> None:
    """Give each of our exceptions its answer, and the framework's own."""
    http.install(app)
    app.add_exception_handler(RequestValidationError, _bad_query)


def _bad_query(_: Request, error: Any) -> Response:
    first = error.errors()[0]
    field = str(first["loc"][-1])
    return http.refusal(400, f"{field}: {first['msg']}", field=field)
