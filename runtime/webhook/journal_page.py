"""`/journal` and `/api/journal`: the log book for people, behind the rule of the dashboard's private figures.

From this machine it is open; from any other, also through the tunnel, it takes the operator's key as `X-Ops-Key`.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import Response

from runtime import api, auth, http, openapi
from runtime.journal.book import BookError
from runtime.journal.filters import Filter
from runtime.journal.index import NoEntry, Order
from runtime.journal.view import View
from runtime.journal.words import terms
from runtime.payload import STORABLE, Invalid
from runtime.webui.pages import Page, add_page

if TYPE_CHECKING:
    from runtime.webhook.app import Webhook

TIME = r"^\d{4}(-\d\d(-\d\d([ T]\d\d(:\d\d)?)?)?)?$"
Kinds = Annotated[list[Literal["session", "alert", "note", "text"]], Query(max_length=4)]
Time = Annotated[str, Query(max_length=16, pattern=TIME)]
Key = Annotated[str, Query(max_length=32, pattern=r"^[0-9A-Za-z]{4,16}-[0-9a-f]{8}$")]
Words = Annotated[str, Query(min_length=1, max_length=200, pattern=STORABLE)]
Limit = Annotated[int, Query(ge=1, le=50)]
Points = Annotated[int, Query(ge=1, le=1000)]
THREADS = 2
WAIT_SECONDS = 10.0


class JournalPage:
    """Added to `webhook`, which closes it."""

    def __init__(self, webhook: Webhook) -> None:
        self._settings = settings = webhook.settings
        known = tuple(secret.reveal() for secret in settings.secrets)
        self._view = View(settings.journal, settings.state / "journal.index", known)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="journal-page")
        add_page(webhook.app, Page("journal.html", "/journal", settings.language, settings.timezone.key))
        self._routes(webhook.app)

    def close(self) -> None:
        self._view.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _routes(self, app: api.Api) -> None:
        view, said, gone = self._view, openapi.answers(401), openapi.answers(401, 404)

        @app.get("/api/journal", summary="The log book's entries, newest first", openapi_extra=gone)
        async def entries(
            request: Request,
            kind: Kinds = [],  # noqa: B006 - FastAPI copies it
            since: Time | None = None,
            until: Time | None = None,
            before: Key | None = None,
            entry: Key | None = None,
            limit: Limit = 20,
        ) -> Any:
            if entry:
                return await self._answered(request, functools.partial(view.around, entry, limit))
            wanted = _filter(kind, since, until)
            return await self._answered(request, functools.partial(view.page, wanted, before or "", limit))

        @app.get("/api/journal/search", summary="Entries that have all these words", openapi_extra=said)
        async def search(
            request: Request,
            q: Words,
            kind: Kinds = [],  # noqa: B006 - FastAPI copies it
            since: Time | None = None,
            until: Time | None = None,
            sort: Order = "rank",
            limit: Limit = 20,
        ) -> Any:
            wanted = _filter(kind, since, until)
            _check(q)
            return await self._answered(request, functools.partial(view.search, q, wanted, sort, limit))

        @app.get("/api/journal/todo", summary="Open points of all sessions, oldest first", openapi_extra=said)
        async def todo(request: Request, done: bool = False, limit: Points = 500) -> Any:
            return await self._answered(request, functools.partial(view.todo, done=done, limit=limit))

    async def _answered(self, request: Request, question: Callable[[], dict[str, Any]]) -> Response:
        """In a thread of the page's own: a disk that hangs holds up nobody else."""
        if not self._may(request):
            return http.refusal(401, "from another machine the operator's key is needed, as X-Ops-Key")
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                found = await asyncio.get_running_loop().run_in_executor(self._threads, question)
            return http.JsonResponse(found)
        except NoEntry as error:
            return http.refusal(404, str(error))
        except (TimeoutError, BookError) as error:
            return http.refusal(503, str(error) or "the log book cannot be read in time", Retry_After="2")

    def _may(self, request: Request) -> bool:
        peer = request.client.host if request.client else None
        near = auth.is_loopback(auth.caller(peer, request.headers.get("x-forwarded-for")))
        return near or auth.matches(request.headers.get("x-ops-key"), self._settings.ops_key)


def _check(question: str) -> None:
    """Raises Invalid when there is no word in it."""
    try:
        terms(question)
    except BookError as error:
        raise Invalid("q", str(error)) from None


def _filter(kinds: list[Any], since: str | None, until: str | None) -> Filter:
    return Filter(tuple(dict.fromkeys(kinds)), (since or "").replace("T", " "), (until or "").replace("T", " "))
