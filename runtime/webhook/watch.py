"""How the webhook shows itself to those who watch it: /health, /ready, /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from runtime import api, clock, http, probe, readiness
from runtime.engines import is_test
from runtime.outbox import status
from runtime.outbox.status import Standing
from runtime.router.decision import held
from runtime.settings import WebhookSettings
from runtime.store import Store, StoreError
from runtime.webhook import events, metrics, routing

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class Watch:
    """Asks the store, which exists once the service has started."""

    def __init__(self, settings: WebhookSettings, app: api.Api, store: Callable[[], Store]) -> None:
        self._settings = settings
        self._app = app
        self._store = store
        self._started = clock.now()
        self._routes()

    def count(self, engine: object, outcome: str) -> None:
        """One alert was decided about. Only engines that are configured have a name of their own here."""
        name = "other"
        if isinstance(engine, str):
            name = engine if engine in self._settings.engines.engines else "test" if is_test(engine) else "other"
        self._app.meter.counts[name, outcome] += 1

    def standings(self, now: datetime) -> list[Standing]:
        """Of all sinks, those of other services too. Raises StoreError."""
        with self._store().read() as connection:
            return status.read(connection, status.known(connection, self._settings), now)

    async def ready(self) -> http.JsonResponse:
        """200 when an alert sent now would be committed and journalled, else 503 naming what fails.

        Other sinks that are behind are named as degraded: they delay only themselves, so neither a deploy nor a
        caller should take the receiver for broken.
        """
        checks = {"store": await readiness.store_problem(self._store())}
        standings = {one.sink: one for one in await run_in_threadpool(self._standings)}
        late = status.late(standings.values(), self._settings.watch.max_lag)
        checks["journal"] = standings["journal"].error or late.pop("journal", None) if standings else None
        checks["disk"] = readiness.disk_problem(self._folders(), self._settings.watch.min_free)
        return readiness.answer(checks, late)

    def families(self) -> Iterator[Metric]:
        """Everything for /metrics: what is counted in memory, and a few bounded questions to the store."""
        from runtime import prometheus  # only a service that is scraped loads the library

        yield from prometheus.of_service("tv-webhook", self._started.timestamp(), self._app.meter)
        counted = list(self._app.meter.counts.items())
        yield prometheus.counter("alerts", "Alerts with the right key.", counted, ("engine", "outcome"))
        yield from prometheus.of_store(self._store())
        try:
            asked = list(self._asked(clock.now()))
        except StoreError:
            asked = []
        yield prometheus.gauge("store_readable", "0: the store could not be asked.", [((), 1.0 if asked else 0.0)])
        yield from asked

    def _asked(self, now: datetime) -> Iterator[Metric]:
        from runtime import prometheus

        standings = self.standings(now)
        for name, said, value in _SINK_GAUGES:
            yield prometheus.gauge(name, said, [((one.sink,), value(one)) for one in standings], ("sink",))
        with self._store().read() as connection:
            lock, _ = routing.lock(connection)
            newest = events.totals(connection).last_ts
            last = metrics.last_by_engine(connection, list(self._settings.engines.engines))
        holder = held(lock, now, self._settings.lock_expiry)
        engines = [name for name, one in self._settings.engines.engines.items() if one.aggressive]
        yield prometheus.gauge(
            "lock_held",
            "1 for the engine that holds the lock.",
            [((name,), float(holder is not None and holder.engine == name)) for name in engines],
            ("engine",),
        )
        ages = [((), _age(newest, now))] if newest else []
        yield prometheus.gauge("last_event_age_seconds", "Since the newest alert; absent before the first.", ages)
        of_engines = [((name,), _age(row["ts"], now)) for name, row in last.items() if row]
        said = "Since the engine's newest alert; absent before its first."
        yield prometheus.gauge("engine_last_event_age_seconds", said, of_engines, ("engine",))

    def _standings(self) -> list[Standing]:
        try:
            return self.standings(clock.now())
        except StoreError:
            return []  # the check of the store says so

    def _folders(self) -> list[Any]:
        jsonl = self._settings.jsonl
        return [self._settings.state, self._settings.journal.parent, *([jsonl.parent] if jsonl else [])]

    def _routes(self) -> None:
        app = self._app

        @app.get("/health", summary="The process answers")
        async def health(request: Request) -> Any:
            said = {"ok": True, "service": "tv-webhook", "since": clock.iso(self._started)}
            proof = probe.answer(self._settings.ops_key, request.headers.get(probe.HEADER))
            return http.JsonResponse(said, headers={probe.HEADER: proof} if proof else None)

        @app.get("/ready", summary="Alerts can be committed and journalled; what lags behind is degraded")
        async def ready() -> Any:
            return await self.ready()

        @app.get("/metrics", summary="Numbers for Prometheus", response_class=PlainTextResponse)
        def scrape() -> Any:
            from runtime import prometheus

            return Response(prometheus.exposition(self.families()), media_type=prometheus.CONTENT_TYPE)


_SINK_GAUGES: tuple[tuple[str, str, Callable[[Standing], float]], ...] = (
    ("sink_pending", "What the sink owes, counted up to 100,000.", lambda one: one.pending),
    ("sink_lag_seconds", "Age of the oldest event that the sink owes.", lambda one: one.lag),
    ("sink_failing", "1: its last attempt failed.", lambda one: float(one.failing_since is not None)),
    ("sink_dead_letters", "What the sink refused for good.", lambda one: one.dead),
)


def _age(ts: str, now: datetime) -> float:
    return max(0.0, (now - clock.from_iso(ts)).total_seconds())
