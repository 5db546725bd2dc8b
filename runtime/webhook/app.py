"""The webhook's HTTP side: POST /tv and the pages that show what came in."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from sqlalchemy import Connection

from runtime import auth, clock, http, payload
from runtime.journal.entry import render
from runtime.journal.worker import JournalWorker
from runtime.payload import Json
from runtime.settings import WebhookSettings
from runtime.store import Store, StoreError
from runtime.webhook import events
from runtime.webhook.alert import Alert, read
from runtime.webhook.schema import ALERT_BODY

log = logging.getLogger("runtime.webhook")


class Webhook:
    """The application with its store and its journal; both are opened at start-up and closed at shutdown."""

    def __init__(self, settings: WebhookSettings) -> None:
        self.settings = settings
        self.started = clock.now()
        self.app = FastAPI(title="tv-webhook", lifespan=self._lifespan, default_response_class=http.JsonResponse)
        self._store: Store | None = None
        self._journal: JournalWorker | None = None
        http.install(self.app)
        self._routes()

    @property
    def store(self) -> Store:
        if self._store is None:
            raise StoreError("the service has not started")
        return self._store

    @property
    def journal(self) -> JournalWorker:
        if self._journal is None:
            raise StoreError("the service has not started")
        return self._journal

    def alive(self) -> bool:
        """False when the store's writer is gone and only a restart helps."""
        return self._store is None or self._store.alive

    async def receive(self, request: Request) -> http.JsonResponse:
        """Take one alert. 200 means committed; see the module `runtime.http` for every other answer."""
        parsed = payload.parse(await http.read_body(request))
        if not auth.matches(parsed.data.pop("key", None), self.settings.key):
            raise auth.Forbidden
        data = payload.redact(payload.check(parsed), self.settings.key.reveal())
        event_id = await self.accept(read(data), _caller(request))
        return http.JsonResponse({"ok": True, "id": event_id})

    async def accept(self, alert: Alert, ip: str) -> int:
        """Commit the alert, then wake those who deliver it; returns its id. Raises StoreError."""
        ts = clock.iso(clock.now())
        event_id = await self.store.write(lambda connection: events.add(connection, alert, ts, ip))
        self.journal.wake()
        log.info("alert %d stored: %s %s %s", event_id, alert.engine, alert.signal, alert.symbol)
        return event_id

    def state(self) -> Json:
        """Today's two keys, and the counters. The router that fills `active_engine` is not part of this service yet."""
        with self.store.read() as connection:
            totals = events.totals(connection)
            pending = events.pending(connection, self.journal.delivered(connection))
        return {
            "active_engine": None,
            "updated_at": None,
            "events_total": totals.count,
            "last_event_ts": totals.last_ts,
            "journal_pending": pending,
            "journal_error": self.journal.error,
        }

    async def ready(self) -> http.JsonResponse:
        """200 when an alert sent now would be committed and journalled, else 503 naming what fails."""
        checks = {"store": await self._store_problem(), "journal": self._journal_problem()}
        ready = not any(checks.values())
        content = {"ok": ready, "checks": {name: problem or "ok" for name, problem in checks.items()}}
        return http.JsonResponse(content, status_code=200 if ready else 503)

    async def _store_problem(self) -> str | None:
        try:
            await self.store.probe()
        except StoreError as error:
            return str(error)
        return None

    def _journal_problem(self) -> str | None:
        path = self.settings.journal
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            return f"{path} is not writable"
        return self.journal.error

    def _entries(self, connection: Connection, after: int, limit: int) -> list[tuple[int, str]]:
        rows = events.journal_entries(connection, after, limit)
        return [(event_id, render(alert, self.settings.timezone)) for event_id, alert in rows]

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        self._store = Store(self.settings.database, events.metadata)
        self._journal = JournalWorker(self._store, events.outbox, self._entries, self.settings.journal)
        self._journal.start()
        yield
        self._journal.stop()
        self._store.close()

    def _routes(self) -> None:
        app = self.app

        @app.post("/tv", openapi_extra=ALERT_BODY, summary="Take one alert")
        async def tv(request: Request) -> Any:
            return await self.receive(request)

        @app.get("/api/state", summary="Active engine and counters")
        def state() -> Any:
            return http.JsonResponse(self.state())

        @app.get("/api/events", summary="Newest alerts first")
        def recent(limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Any:
            with self.store.read() as connection:
                return http.JsonResponse({"events": events.recent(connection, limit)})

        @app.get("/health", summary="The process answers")
        async def health() -> Any:
            return http.JsonResponse({"ok": True, "service": "tv-webhook", "since": clock.iso(self.started)})

        @app.get("/ready", summary="Alerts can be committed and journalled")
        async def ready() -> Any:
            return await self.ready()


def _caller(request: Request) -> str:
    peer = request.client.host if request.client else None
    return auth.caller(peer, request.headers.get("x-forwarded-for"))
