"""The dashboard's addresses on the webhook: the page, its stream, and the ledger's figures passed on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import Response

from runtime import auth, http
from runtime.router import words
from runtime.webhook import bars
from runtime.webhook.ledger_view import LedgerView
from runtime.webhook.live import Feed, readiness
from runtime.webui.pages import Page, add_page
from runtime.webui.reference import add_reference
from runtime.webui.stream import Live

if TYPE_CHECKING:
    from runtime.webhook.app import Webhook

By = Annotated[Literal["engine", "symbol", "session", "hour", "weekday"] | None, Query()]
Points = Annotated[int, Query(ge=2, le=5000)]
Days = Annotated[int, Query(ge=1, le=3660)]
Rows = Annotated[int, Query(ge=1, le=1000)]
Symbol = Annotated[str | None, Query(max_length=64)]


class Dashboard:
    """`webhook` is the application that it shows."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._settings = webhook.settings
        self._ledger = LedgerView(self._settings.perf_url)
        say = partial(words.said, language=self._settings.language)
        feed = Feed(lambda: webhook.store, webhook.state, lambda: readiness(webhook.watch.ready()), say)
        self.live = Live(feed)
        self._routes()
        self._ledger_routes()

    def close(self) -> None:
        self.live.close()
        self._ledger.close()

    def _routes(self) -> None:
        app = self._webhook.app
        add_reference(app)
        add_page(app, Page("dash.html", "/dash", self._settings.language, self._settings.timezone.key))

        @app.get("/api/stream", include_in_schema=False)  # an answer without an end: tools that try each address hang
        async def stream(request: Request, after: str | None = None) -> Any:
            return self.live.connect(request.headers.get("last-event-id") or after)

        @app.get("/api/bars", summary="Candles: a symbol's newest BAR events, oldest first")
        def candles(symbol: Symbol = None, limit: Rows = 300) -> Any:
            with self._webhook.store.read() as connection:
                return http.JsonResponse(bars.report(connection, symbol, limit))

    def _ledger_routes(self) -> None:
        """Answered 502 while the ledger does not answer. They are the page's own, so OpenAPI does not list them."""
        app = self._webhook.app

        @app.get("/api/perf/summary", include_in_schema=False)
        async def summary(request: Request) -> Any:
            return await self._shown(request, "summary")

        @app.get("/api/perf/open", include_in_schema=False)
        async def opened(request: Request, limit: Rows = 100) -> Any:
            return await self._shown(request, f"open?limit={limit}")

        @app.get("/api/perf/equity", include_in_schema=False)
        async def equity(request: Request, points: Points = 600) -> Any:
            return await self._shown(request, f"equity?points={points}")

        @app.get("/api/perf/kpi", include_in_schema=False)
        async def kpi(request: Request, by: By = None, days: Days = 366) -> Any:
            return await self._shown(request, f"kpi?days={days}" + (f"&by={by}" if by else ""))

    async def _shown(self, request: Request, path: str) -> Response:
        """The ledger wants a token from other machines, and takes us for this one: so we ask for the operator's key."""
        peer = request.client.host if request.client else None
        near = auth.is_loopback(auth.caller(peer, request.headers.get("x-forwarded-for")))
        if not near and not auth.matches(request.headers.get("x-ops-key"), self._settings.ops_key):
            return http.refusal(401, "from another machine the operator's key is needed, as X-Ops-Key")
        return await self._ledger.show(path)
