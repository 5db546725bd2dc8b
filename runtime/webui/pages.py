"""Serves a page and its files, with headers that leave a browser no room: no inline code, no other origin, no frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from runtime.webui import assets

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FILES = "/ui/{version}/{name:path}"
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Page:
    """An HTML file of the bundle and where it is shown; `language` is `fr` or `en`, `timezone` an IANA name."""

    name: str
    path: str
    language: str
    timezone: str


def add_page(app: FastAPI, page: Page) -> None:
    """Register the page and, below `/ui/`, the files of all pages. OpenAPI does not list them: they are no API."""
    bundle = assets.bundle()
    html = bundle.page(page.name, {"language": page.language, "timezone": page.timezone})

    @app.get(page.path, include_in_schema=False)
    async def shown() -> Any:
        return Response(html, media_type="text/html; charset=utf-8", headers=HEADERS)

    if any(getattr(route, "path", "") == FILES for route in app.routes):
        return

    @app.get(FILES, include_in_schema=False)
    async def asset(request: Request, version: str, name: str) -> Any:
        found = bundle.files.get(name)
        if found is None or version != bundle.version or name.endswith(".html"):
            raise HTTPException(404, "no such file in this release; reload the page")
        return _file(found, request.headers.get("accept-encoding", ""))


def _file(asset: assets.Asset, accepted: str) -> Response:
    headers = HEADERS | {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    if "gzip" in accepted:
        return Response(asset.packed, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)
