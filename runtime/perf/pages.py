"""What the ledger shows: one function for each address."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import FastAPI, Query
from fastapi.responses import Response, StreamingResponse

from runtime import clock, http, moment, openapi
from runtime.payload import STORABLE, Json
from runtime.perf import export, listing, report
from runtime.perf.listing import Filter
from runtime.store import Store

PAGE = 1000
PIECE = 64 * 1024

log = logging.getLogger("runtime.perf")

Limit = Annotated[int, Query(ge=1, le=1000)]
Name = Annotated[str | None, Query(max_length=128, pattern=STORABLE)]
Time = Annotated[str | None, Query(max_length=64, description="ISO 8601 with an offset, or an epoch")]
Points = Annotated[int | None, Query(ge=2, le=5000, description="at most so many points; peaks and troughs are kept")]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next` of the page before")]
By = Annotated[Literal["engine", "symbol", "session", "hour", "weekday"] | None, Query()]
Days = Annotated[int, Query(ge=1, le=3660, description="of the calendar, counted among days with a closing")]
Format = Annotated[Literal["csv", "parquet"], Query()]


def add_pages(app: FastAPI, equity0: float, store: Callable[[], Store], guard: Any) -> None:
    """Register every GET below `/perf/`; `guard` is the dependency that lets callers in."""
    shown = {"dependencies": [guard], "openapi_extra": openapi.answers(401)}
    _add_figures(app, equity0, store, shown)
    _add_trades(app, store, shown)
    _add_export(app, store, shown)


def _add_figures(app: FastAPI, equity0: float, store: Callable[[], Store], shown: Any) -> None:
    @app.get("/perf/summary", summary="The ledger in short", **shown)
    def summary() -> Any:
        with store().read() as connection:
            return http.JsonResponse(report.summary(connection, equity0))

    @app.get("/perf/equity", summary="Equity after each closing, or about `points` of them for a chart", **shown)
    def equity(points: Points = None) -> Any:
        with store().read() as connection:
            return http.JsonResponse(report.equity(connection, equity0, points))

    @app.get("/perf/kpi", summary="Every KPI, of all trades and by group, and the calendar", **shown)
    def kpi(by: By = None, days: Days = 366) -> Any:
        with store().read() as connection:
            return http.JsonResponse(report.kpi(connection, equity0, by, days))


def _add_trades(app: FastAPI, store: Callable[[], Store], shown: Any) -> None:
    @app.get("/perf/open", summary="Open trades, newest first", **shown)
    def opened(limit: Limit = 1000) -> Any:
        with store().read() as connection:
            page = listing.newest(connection, Filter(status="OPEN"), limit)
        return http.JsonResponse({"trades": page.trades})

    @app.get("/perf/trades", summary="Trades, newest first; `next` is the `before` of the next page", **shown)
    def trades(
        limit: Limit = 100,
        before: Before = None,
        engine: Name = None,
        status: Name = None,
        symbol: Name = None,
        side: Name = None,
        since: Time = None,
        until: Time = None,
    ) -> Any:
        wanted = _filter(engine, status, symbol, side, since, until)
        with store().read() as connection:
            page = listing.newest(connection, wanted, limit, before)
        return http.JsonResponse({"trades": page.trades, "next": page.next})


def _add_export(app: FastAPI, store: Callable[[], Store], shown: Any) -> None:
    said = openapi.answers(401, 501)
    said["responses"] |= openapi.file("text/csv", "application/vnd.apache.parquet")
    shown = shown | {"openapi_extra": said, "response_class": Response}

    @app.get("/perf/export", summary="The ledger as a file, oldest trade first", **shown)
    def exported(
        format: Format = "csv",
        engine: Name = None,
        status: Name = None,
        symbol: Name = None,
        side: Name = None,
        since: Time = None,
        until: Time = None,
    ) -> Any:
        return _file(format, store(), _filter(engine, status, symbol, side, since, until))


def _file(format: str, store: Store, wanted: Filter) -> Response:
    """Each page is read for itself, so that a slow reader holds nothing open; trades that open meanwhile come last."""

    def pages(after: int) -> list[tuple[int, Json]]:
        with store.read() as connection:
            return list(listing.oldest(connection, wanted, PAGE, after))

    named = {"Content-Disposition": f'attachment; filename="ledger.{format}"'}
    if format == "csv":
        return StreamingResponse(export.csv_chunks(pages), media_type="text/csv; charset=utf-8", headers=named)
    if not export.can_parquet():
        return http.refusal(501, "Parquet needs pyarrow: deploy perf with `parquet: true`, or ask for format=csv")
    try:
        made = export.parquet(pages)
    except export.ExportError as error:
        log.error("no Parquet file: %s", error)
        return http.refusal(503, f"the file could not be made: {error}", Retry_After=str(http.RETRY_AFTER_SECONDS))
    named["Content-Length"] = str(os.fstat(made.fileno()).st_size)
    return StreamingResponse(_pieces(made), media_type="application/vnd.apache.parquet", headers=named)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _filter(
    engine: str | None, status: str | None, symbol: str | None, side: str | None, since: str | None, until: str | None
) -> Filter:
    return Filter(engine, _upper(status), symbol, _upper(side), _time("since", since), _time("until", until))


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None


def _time(name: str, text: str | None) -> str | None:
    """A `+` in an address means a space unless it is escaped: an offset written with one is understood."""
    found = moment.read({name: text.replace(" ", "+") if text else None}, name)
    return clock.iso(found) if found else None
