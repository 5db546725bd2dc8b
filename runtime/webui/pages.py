"""Serves a page and its files, with headers that leave a browser no room: no inline code, no other origin, no frame."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtime.http import Route
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


def add_page(app: Starlette, page: Page) -> None:
    """Register the page and, below `/ui/`, the files of all pages. OpenAPI does not list them: they are no API."""
    html = assets.bundle().page(page.name, {"language": page.language, "timezone": page.timezone})

    async def shown(_: Request) -> Response:
        return Response(html, media_type="text/html; charset=utf-8", headers=HEADERS)

    routes = app.router.routes
    routes.append(Route(page.path, shown, include_in_schema=False))
    if not any(getattr(route, "path", "") == FILES for route in routes):
        routes.append(Route(FILES, _asset, include_in_schema=False))


async def _asset(request: Request) -> Response:
    bundle, given = assets.bundle(), request.path_params
    found = bundle.files.get(given["name"])
    if found is None or given["version"] != bundle.version or given["name"].endswith(".html"):
        raise HTTPException(404, "no such file in this release; reload the page")
    return _file(found, request.headers.get("accept-encoding", ""))


def _file(asset: assets.Asset, accepted: str) -> Response:
    headers = HEADERS | {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    if "gzip" in accepted:
        return Response(asset.packed, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)
