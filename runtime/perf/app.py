"""The ledger's HTTP side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from runtime import api, auth, clock, http, logs, openapi, payload, readiness
from runtime.perf import event, ledger, rebuild, report
from runtime.perf.ledger import Rules
from runtime.perf.live import Figures
from runtime.perf.pages import add_pages
from runtime.perf.schema import EVENT_BODY
from runtime.perf.tables import SCHEMA
from runtime.settings import PerfSettings
from runtime.store import Store, StoreError
from runtime.webui.pages import Page, add_page
from runtime.webui.reference import add_reference
from runtime.webui.stream import Live

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class Perf:
    """The application with its store, opened at start-up and closed at shutdown."""

    def __init__(self, settings: PerfSettings) -> None:
        self.settings = settings
        self.started = clock.now()
        self.app = api.Api(title="perf", lifespan=self._lifespan, default_response_class=http.JsonResponse)
        self._store: Store | None = None
        api.install(self.app)
        self.app.add_exception_handler(ledger.Refused, _refused)
        self._health()
        self._events()
        self.live = Live(Figures(lambda: self.store, settings.equity0))
        self._page()
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
        self.live.wake()
        kind = type(wanted).__name__.upper()
        self.app.meter.counts[kind,] += 1
        logs.note(type=kind)
        return http.JsonResponse(answer)

    async def ready(self) -> http.JsonResponse:
        """200 when an event sent now would be committed, else 503 saying why not."""
        disk = readiness.disk_problem([self.settings.state], self.settings.watch.min_free)
        return readiness.answer({"store": await readiness.store_problem(self.store), "disk": disk})

    def families(self) -> Iterator[Metric]:
        """Everything for /metrics: what is counted in memory, and the ledger's running figures."""
        from runtime import prometheus  # only a service that is scraped loads the library

        yield from prometheus.of_service("perf", self.started.timestamp(), self.app.meter)
        counted = list(self.app.meter.counts.items())
        yield prometheus.counter("ledger_events", "Events that were taken.", counted, ("type",))
        yield from prometheus.of_store(self.store)
        try:
            with self.store.read() as connection:
                found = report.summary(connection, self.settings.equity0)
        except StoreError:
            found = {}
        yield prometheus.gauge("store_readable", "0: the store could not be asked.", [((), 1.0 if found else 0.0)])
        for name, said in _GAUGES.items():
            values = [((), float(found[name]))] if found else []
            yield prometheus.gauge(f"ledger_{name}", said, values)

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Before anyone is answered the file has this release's schema, and its running figures hold every event."""
        self._store = Store(self.settings.database, SCHEMA)
        self._store.submit(lambda connection: rebuild.refresh(connection, self.settings.equity0)).result()
        yield
        self.live.close()
        self._store.close()

    def _health(self) -> None:
        @self.app.get("/health", summary="The process answers")
        async def health() -> Any:
            return http.JsonResponse({"ok": True, "service": "perf", "since": clock.iso(self.started)})

        @self.app.get("/ready", summary="Events can be committed")
        async def ready() -> Any:
            return await self.ready()

        shown: dict[str, Any] = {"dependencies": [Depends(self.authorize)], "openapi_extra": openapi.answers(401)}

        @self.app.get("/metrics", summary="Numbers for Prometheus", response_class=PlainTextResponse, **shown)
        def scrape() -> Any:
            from runtime import prometheus

            return Response(prometheus.exposition(self.families()), media_type=prometheus.CONTENT_TYPE)

    def _page(self) -> None:
        """Anyone may have the page; what it shows it asks for, and carries the token."""
        add_reference(self.app)
        add_page(self.app, Page("perf.html", "/perf/ui", self.settings.language, self.settings.timezone.key))

        @self.app.get("/perf/stream", dependencies=[Depends(self.authorize)], include_in_schema=False)
        async def stream() -> Any:
            return self.live.connect(None)

    def _events(self) -> None:
        guarded, summary = [Depends(self.authorize)], "OPEN, UPDATE or CLOSE a trade"

        @self.app.post("/perf/event", dependencies=guarded, openapi_extra=EVENT_BODY, summary=summary)
        async def take(request: Request) -> Any:
            return await self.receive(request)


_GAUGES = {
    "open_trades": "Trades that are open.",
    "closed_trades": "Trades that were closed.",
    "equity_last": "Equity after the last closing.",
    "max_dd": "Deepest fall from a peak of equity.",
}


def _refused(_: Request, error: Any) -> http.JsonResponse:
    return http.refusal(error.status, error.reason)
