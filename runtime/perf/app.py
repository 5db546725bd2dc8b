"""The ledger's HTTP side."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request

from runtime import auth, clock, http, payload
from runtime.payload import Json
from runtime.perf import event, ledger, rebuild
from runtime.perf.ledger import Rules
from runtime.perf.pages import add_pages
from runtime.perf.schema import EVENT_BODY
from runtime.perf.tables import SCHEMA
from runtime.settings import PerfSettings
from runtime.store import Store, StoreError

log = logging.getLogger("runtime.perf")


class Perf:
    """The application with its store, opened at start-up and closed at shutdown."""

    def __init__(self, settings: PerfSettings) -> None:
        self.settings = settings
        self.started = clock.now()
        self.app = FastAPI(title="perf", lifespan=self._lifespan, default_response_class=http.JsonResponse)
        self._store: Store | None = None
        http.install(self.app)
        self.app.add_exception_handler(ledger.Refused, _refused)
        self._health()
        self._events()
        add_pages(self.app, settings.equity0, lambda: self.store, Depends(self.authorize))

    @property
    def store(self) -> Store:
        if self._store is None:
            raise StoreError("the service has not started")
        return self._store

    def alive(self) -> bool:
        """False when the store's writer is gone and only a restart helps."""
        return self._store is None or self._store.alive

    async def authorize(self, request: Request) -> None:
        """Callers on this machine need nothing, all others the token. Only the socket says where a caller is."""
        if auth.is_loopback(request.client.host if request.client else None):
            return
        if not auth.matches(auth.bearer(request.headers.get("authorization")), self.settings.token):
            raise auth.Unauthorized

    async def receive(self, request: Request) -> http.JsonResponse:
        """Take one event; 200 means committed."""
        data = payload.check(payload.parse(await http.read_body(request)))
        if event.of_test_engine(data):
            return http.JsonResponse({"ok": True, "ignored": "test engines are kept out of the ledger"})
        wanted = event.read(data, clock.now())
        rules = Rules(self.settings.equity0, self.settings.reversal)
        answer = await self.store.write(lambda connection: ledger.apply(connection, wanted, rules))
        log.info("%s stored", type(wanted).__name__.upper())
        return http.JsonResponse(answer)

    async def ready(self) -> http.JsonResponse:
        """200 when an event sent now would be committed, else 503 saying why not."""
        problem = None
        try:
            await self.store.probe()
        except StoreError as error:
            problem = str(error)
        content: Json = {"ok": problem is None, "checks": {"store": problem or "ok"}}
        return http.JsonResponse(content, status_code=503 if problem else 200)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Before anyone is answered the file has this release's schema, and its running figures hold every event."""
        self._store = Store(self.settings.database, SCHEMA)
        self._store.submit(lambda connection: rebuild.refresh(connection, self.settings.equity0)).result()
        yield
        self._store.close()

    def _health(self) -> None:
        @self.app.get("/health", summary="The process answers")
        async def health() -> Any:
            return http.JsonResponse({"ok": True, "service": "perf", "since": clock.iso(self.started)})

        @self.app.get("/ready", summary="Events can be committed")
        async def ready() -> Any:
            return await self.ready()

    def _events(self) -> None:
        guarded, summary = [Depends(self.authorize)], "OPEN, UPDATE or CLOSE a trade"

        @self.app.post("/perf/event", dependencies=guarded, openapi_extra=EVENT_BODY, summary=summary)
        async def take(request: Request) -> Any:
            return await self.receive(request)


def _refused(_: Request, error: Any) -> http.JsonResponse:
    return http.refusal(error.status, error.reason)
