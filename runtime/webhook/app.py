"""The webhook's HTTP side: POST /tv and the pages that show what came in."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request

from runtime import api, auth, clock, http, logs, payload
from runtime import node as node_state
from runtime.engines import is_test
from runtime.gate import Gate
from runtime.payload import Invalid, Json
from runtime.risk import Account, Side
from runtime.risk import quote as risk_quote
from runtime.router.decision import Lock, held
from runtime.settings import WebhookSettings
from runtime.store import Store, StoreError, tables
from runtime.tunnel import state as tunnel_state
from runtime.tunnel import words as tunnel_words
from runtime.webhook import events, metrics, routing
from runtime.webhook.alert import read
from runtime.webhook.control import Control, caller, operator
from runtime.webhook.dashboard import Dashboard
from runtime.webhook.events import Origin
from runtime.webhook.journal_page import JournalPage
from runtime.webhook.pipeline import Arrival, Pipeline, Result, Sized
from runtime.webhook.refusals import Refusal, without_keys
from runtime.webhook.schema import ALERT_BODY, RESET_BODY
from runtime.webhook.watch import Watch

log = logging.getLogger("runtime.webhook")

Limit = Annotated[int, Query(ge=1, le=1000)]
Minutes = Annotated[float, Query(gt=0, le=525_600, allow_inf_nan=False)]
Seconds = Annotated[float, Query(gt=0, le=31_536_000, allow_inf_nan=False)]
Outcome = Annotated[str | None, Query(max_length=32, pattern=payload.STORABLE)]
Name = Annotated[str, Query(max_length=64, pattern=payload.STORABLE)]


class Webhook:
    """The application with its store, which is opened at start-up and closed at shutdown."""

    def __init__(self, settings: WebhookSettings) -> None:
        self.settings = settings
        self.pipeline = Pipeline(settings)
        self.control = Control(settings.engines, settings.ops_key, lambda: self.store, settings.language)
        self.keyring = auth.Keyring(settings.keys)
        self.app = api.Api(title="tv-webhook", lifespan=self._lifespan, default_response_class=http.JsonResponse)
        self.app.gate = Gate(settings.ops_key, settings.sources, settings.forwarded)
        self._store: Store | None = None
        self.watch = Watch(settings, self.app, lambda: self.store)
        api.install(self.app)
        self._routes()
        self.dashboard = Dashboard(self)
        self.journal = JournalPage(self)

    @property
    def store(self) -> Store:
        if self._store is None:
            raise StoreError("the service has not started")
        return self._store

    def alive(self) -> bool:
        """False when the store's writer is gone and only a restart helps."""
        return self._store is None or self._store.alive

    async def receive(self, scope: http.Scope, body: bytes) -> http.JsonResponse:
        """Take one alert. 200 means committed; see the module `runtime.http` for every other answer."""
        parsed = payload.parse(body)
        key = self.keyring.check(parsed.data.pop("key", None), clock.now())
        origin = Origin(caller(scope), key, logs.request_id())
        try:
            data = payload.cleared(parsed, *self.keyring.values)
            sized = self.pipeline.size(read(data))
        except Invalid as error:
            await self._refused(parsed.data, error, origin)
            raise
        result = await self.accept(sized, origin)
        return http.JsonResponse(result.answer(), status_code=result.decision.status)

    async def accept(self, sized: Sized, origin: Origin) -> Result:
        """Decide about the alert and commit that; tv-outbox sees it there and delivers it. Raises StoreError."""
        result = await self._committed(Arrival(sized, clock.now(), origin))
        assert result is not None  # noqa: S101 - only a refusal has none
        self.dashboard.live.wake()
        alert, made = sized.alert, result.decision
        self.watch.count(alert.engine, made.outcome)
        logs.note(alert=result.event_id, outcome=made.outcome, engine=alert.engine, symbol=alert.symbol, key=origin.key)
        return result

    async def _refused(self, data: Json, error: Invalid, origin: Origin) -> None:
        """A store that fails here changes nothing for the caller: the alert is wrong either way."""
        keys = self.keyring.values
        self.watch.count(data.get("engine"), "invalid")
        logs.note(outcome="invalid", field=payload.redact(error.field[:64], *keys), key=origin.key)
        why = Invalid(payload.redact(error.field, *keys), payload.redact(error.reason, *keys))
        try:
            await self._committed(Refusal(without_keys(data, keys), why, clock.now(), origin))
            self.dashboard.live.wake()
        except StoreError as failure:
            log.error("a refusal could not be recorded: %s", failure)

    def _committed(self, arrival: Arrival | Refusal) -> Awaitable[Result | None]:
        return self.store.write_item(self.pipeline.commit, arrival)

    async def reset_lock(self, request: Request) -> http.JsonResponse:
        """Free the lock whoever holds it; the open virtual trades stay open."""
        await operator(request, self.settings.ops_key)
        now, ip = clock.now(), caller(request.scope)
        before = await self.store.write(lambda connection: routing.reset(connection, now, ip))
        log.info("lock reset, it was held by %s", before)
        return http.JsonResponse({"ok": True, "active_engine": None, "was": before, "updated_at": clock.iso(now)})

    def state(self) -> Json:
        """Who is active, when that changed, and the counters. Reading changes nothing, not even an expired lock."""
        with self.store.read() as connection:
            lock, updated_at = routing.lock(connection)
            totals = events.totals(connection)
            engines = metrics.last_by_engine(connection, list(self.settings.engines.engines))
            guarded = self.control.summary(connection)
        holder = held(lock, clock.now(), self.settings.lock_expiry)
        sinks = {one.sink: one.shown() for one in self.watch.standings(clock.now())}
        return {
            "active_engine": holder.engine if holder else None,
            "updated_at": updated_at,
            "lock": _shown(holder, self.settings.lock_expiry),
            "engines": engines,
            "events_total": totals.count,
            "last_event_ts": totals.last_ts,
            "journal_pending": sinks["journal"]["pending"],
            "journal_error": sinks["journal"]["error"],
            "perf_pending": sinks["perf"]["pending"],
            "perf_dead": sinks["perf"]["dead"],
            "perf_error": sinks["perf"]["error"],
            "sinks": sinks,
            "tunnel": self.tunnel(),
            "node": self.node(),
            **guarded,
        }

    def tunnel(self) -> Json | None:
        """How the tunnel on this machine stands, in the page's language; None: there is none."""
        now = tunnel_state.read(self.settings.tunnel)
        return tunnel_words.shown(now, self.settings.language) if now else None

    def node(self) -> Json | None:
        """How the BlockDAG node on this machine stands; None: there is none."""
        found = node_state.read(self.settings.node)
        return node_state.shown(found, self.settings.language) if found else None

    def quote(self, engine: str, given: Json) -> Json:
        """What an alert with these levels would be sized to, and why. Raises Invalid."""
        found = self.settings.engines.get(engine)
        price, sl = payload.number(given, "price", required=True), payload.number(given, "sl", required=True)
        tp, shown = payload.number(given, "tp"), {"ok": True, "engine": engine}
        if found.account is None or is_test(engine):
            risk_quote(Account(1, 1, 1), price or 0, sl or 0, tp)  # nonsense is refused here too
            return shown | {"qty": 0, "risk_usd": 0, "risk_real_usd": 0, "warnings": ["not configured: not sized"]}
        side: Side | None = None if found.direction == "both" else "LONG" if found.direction == "long" else "SHORT"
        result = risk_quote(found.account, price or 0, sl or 0, tp, side=side)
        return shown | {"equity": found.account.equity, "risk_pct": found.account.risk_pct} | result.shown()

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        self._store = Store(self.settings.database, tables.SCHEMA)
        yield
        self.dashboard.close()
        self.journal.close()
        self._store.close()

    def _routes(self) -> None:
        app = self.app

        app.post_directly("/tv", self.receive, name="tv", openapi_extra=ALERT_BODY, summary="Take one alert")

        @app.get("/api/state", summary="Active engine and counters")
        def state() -> Any:
            return http.JsonResponse(self.state())

        @app.get("/api/events", summary="Newest alerts first; outcome=all shows refused ones too")
        def recent(limit: Limit = 50, outcome: Outcome = None) -> Any:
            with self.store.read() as connection:
                return http.JsonResponse({"events": events.recent(connection, limit, outcome)})

        @app.get("/api/metrics", summary="Counts by engine and signal, refusals, inactivity")
        def counts(limit: Limit = 1000, window_min: Minutes = 1440.0, inactivity_sec: Seconds = 3600.0) -> Any:
            with self.store.read() as connection:
                return http.JsonResponse(metrics.report(connection, clock.now(), limit, window_min, inactivity_sec))

        @app.get("/api/risk/quote", summary="What an alert would be sized to, and why")
        def quote(engine: Name, price: Name, sl: Name, tp: str | None = None) -> Any:
            return http.JsonResponse(self.quote(engine, {"price": price, "sl": sl, "tp": tp or None}))

        @app.post("/api/reset_lock", openapi_extra=RESET_BODY, summary="Free the lock (operator's key)")
        async def reset_lock(request: Request) -> Any:
            return await self.reset_lock(request)

        self.control.install(app)


def _shown(lock: Lock | None, expiry: float) -> Json | None:
    if lock is None:
        return None
    expires = clock.iso(lock.renewed + timedelta(seconds=expiry)) if expiry else None
    return {"engine": lock.engine, "since": clock.iso(lock.since), "expires_at": expires}
