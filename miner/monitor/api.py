"""The monitor over HTTP: what it knows, as JSON, a stream and a page; and the little that the operator may change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from miner.monitor import metrics
from miner.monitor.live import Figures
from runtime import auth, clock, http, payload, readiness
from runtime.http import Handler, Route
from runtime.meter import Meter
from runtime.payload import Invalid, Json
from runtime.webui.pages import Page, add_page
from runtime.webui.stream import Live

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from miner.monitor.app import Monitor

MOST_POINTS = 2000
MUTE_MINUTES = 7 * 24 * 60


class Outcome(Protocol):
    """Of miner.actions."""

    @property
    def what(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def http_status(self) -> int: ...


class Api:
    """The application. It asks `monitor` for everything, and keeps nothing."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._settings = monitor.settings
        self.app = Starlette(lifespan=monitor.lifespan)
        self.meter = Meter()
        self.app.meter = self.meter  # type: ignore[attr-defined]  # where runtime.http.Edge looks for it
        self.live = Live(Figures(lambda: monitor.number, monitor.miner, monitor.monitor))
        http.install(self.app)
        self._routes()
        settings = self._settings
        add_page(self.app, Page("miner.html", "/miner", settings.language, settings.timezone.key))

    def families(self) -> Iterator[Metric]:
        from runtime import prometheus  # only a service that is scraped loads the library

        monitor = self._monitor
        yield from prometheus.of_service("miner-monitor", monitor.started.timestamp(), self.meter)
        yield from metrics.families(monitor.board.latest, monitor.watchman.standing())
        pulse = monitor.pulse
        yield prometheus.gauge("monitor_cycle_seconds", "What the last whole cycle took.", [((), pulse.seconds)])
        yield prometheus.counter("monitor_cycles", "Whole cycles.", [((), pulse.cycles)])
        failing = [((one.name,), float(bool(one.trouble))) for one in monitor.runners]
        said = "1: what this collector measures is not known now."
        yield prometheus.gauge("monitor_collector_failing", said, failing, ("collector",))

    def _routes(self) -> None:
        get: dict[str, Handler] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
            "/api/monitor": self._shown(lambda: self._monitor.monitor()),
            "/api/miner": self._shown(lambda: self._monitor.miner()),
            "/api/series": self._series,
            "/api/live": self._live,
        }
        post: dict[str, Handler] = {
            "/api/mute": self._mute,
            "/api/unmute": self._unmute,
            "/api/restart": self._restart,
            "/api/forget": self._forget,
        }
        self.app.router.routes += [Route(path, handler, methods=["GET"]) for path, handler in get.items()]
        self.app.router.routes += [Route(path, handler, methods=["POST"]) for path, handler in post.items()]

    def _shown(self, what: Callable[[], Json]) -> Handler:
        async def handler(_: Request) -> Response:
            return http.JsonResponse(what())

        return handler

    async def _health(self, _: Request) -> Response:
        since = clock.iso(self._monitor.started)
        return http.JsonResponse({"ok": True, "service": "miner-monitor", "since": since})

    async def _ready(self, _: Request) -> Response:
        return readiness.answer(await self._monitor.problems())

    async def _metrics(self, _: Request) -> Response:
        from runtime import prometheus

        return Response(prometheus.exposition(self.families()), media_type=prometheus.CONTENT_TYPE)

    async def _series(self, request: Request) -> Response:
        """Epochs in seconds and values; `null` is a gap. The last hour unless `from` and `to` say otherwise."""
        asked = dict(request.query_params)
        now = clock.now().timestamp()
        metric, target = payload.label(asked, "metric"), asked.get("target", "")
        until = _number(asked, "to", now)
        since = _number(asked, "from", until - 3600)
        points = min(MOST_POINTS, max(2, int(_number(asked, "points", 300))))
        if until <= since:
            raise Invalid("to", "must be after from")
        found = await self._monitor.series(metric, target, since, until, points)
        return http.JsonResponse({"metric": metric, "target": target, "points": [list(one) for one in found]})

    async def _live(self, request: Request) -> Response:
        return self.live.connect(request.headers.get("last-event-id"))

    async def _mute(self, request: Request) -> Response:
        given = await self._order(request)
        minutes = payload.number(given, "minutes", required=True) or 0.0
        if not 0 < minutes <= MUTE_MINUTES:
            raise Invalid("minutes", f"expected more than 0, and at most {MUTE_MINUTES}")
        await self._monitor.watchman.mute(payload.label(given, "scope"), minutes * 60, _by(given))
        return self._changed()

    async def _unmute(self, request: Request) -> Response:
        given = await self._order(request)
        await self._monitor.watchman.unmute(payload.label(given, "scope"), _by(given))
        return self._changed()

    async def _forget(self, request: Request) -> Response:
        given = await self._order(request)
        key = payload.label(given, "stick")
        if not self._monitor.forget(key):
            return http.refusal(409, f"{key} is plugged in, or is not known: see /api/miner", field="stick")
        return self._changed()

    async def _restart(self, request: Request) -> Response:
        given = await self._order(request)
        what, why = payload.label(given, "what"), payload.text(given, "why")[:200] or "-"
        found: Outcome = await self._monitor.restart(what, why, _by(given))
        if found.http_status >= 400:
            return http.refusal(found.http_status, found.text)
        said = {"ok": True, "what": found.what, "outcome": found.outcome, "text": found.text}
        return http.JsonResponse(said, status_code=found.http_status)

    async def _order(self, request: Request) -> Json:
        """The body of one who has the operator's key. Raises Forbidden, before anything is said of the rest."""
        parsed = payload.parse(await http.read_body(request))
        key = parsed.data.pop("ops_key", None)
        if not self._settings.ops_key.reveal() or not auth.matches(key, self._settings.ops_key):
            raise auth.Forbidden
        return payload.check(parsed)

    def _changed(self) -> Response:
        self.live.wake()
        return http.JsonResponse({"ok": True, "mutes": self._monitor.monitor()["mutes"]})


def _by(given: Json) -> str:
    return payload.label(given, "by") if given.get("by") else "operator"


def _number(asked: Json, name: str, default: float) -> float:
    found = payload.number(asked, name)
    return default if found is None else found
