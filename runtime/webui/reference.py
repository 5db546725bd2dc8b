"""`/docs`: the service's OpenAPI document as a page that needs no script and nothing from anywhere else.

The framework's own page loads its viewer from another company's server, which this machine may not reach and need not
tell what is open here.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from runtime.payload import Json
from runtime.webui import assets
from runtime.webui.pages import HEADERS

HEAD = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="dark light">
  <title>{title}: API</title>
  <link rel="icon" href="/ui/{version}/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/ui/{version}/app.css">
  <script src="/ui/{version}/js/theme.js"></script>
</head>
<body>
<header class="bar">
  <h1><span class="mark" aria-hidden="true"></span>{title}: API</h1>
  <p class="clock"><a href="/openapi.json">openapi.json</a></p>
</header>
<main id="main">
"""
TAIL = "</main>\n</body>\n</html>\n"


def add_reference(app: FastAPI) -> None:
    """Register the page. It is made from what the application declares, when it is first asked for."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Any:
        page = render(app.openapi(), assets.bundle().version)
        return Response(page, media_type="text/html; charset=utf-8", headers=HEADERS)


def render(document: Json, version: str) -> str:
    """The page of an OpenAPI 3.1 document; `version` is the bundle's."""
    head = HEAD.format(title=escape(document["info"]["title"]), version=escape(version))
    return head + "".join(_operations(document)) + TAIL


def _operations(document: Json) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            yield f'<section class="panel">\n<header><h2><code>{escape(name)}</code></h2>'
            yield f"<p>{escape(operation.get('summary', ''))}</p></header>\n"
            yield _table("Parameters", [_parameter(one) for one in operation.get("parameters", ())])
            yield from _body(operation.get("requestBody", {}))
            yield _table("Answers", [(code, "", one["description"]) for code, one in operation["responses"].items()])
            yield "</section>\n"


def _body(body: Json) -> Iterator[str]:
    if body.get("description"):
        yield f'<p class="dim">{escape(body["description"])}</p>\n'
    for schema in [one.get("schema", {}) for one in body.get("content", {}).values()][:1]:
        needed = schema.get("required", ())
        rows = [_field(name, one, needed=name in needed) for name, one in schema.get("properties", {}).items()]
        yield _table("Body", rows)


def _parameter(one: Json) -> tuple[str, str, str]:
    schema = one["schema"] | {"description": one.get("description")}
    name, kind, said = _field(one["name"], schema, needed=one.get("required", False))
    return name, f"{kind} ({one['in']})", said


def _field(name: str, schema: Json, *, needed: bool) -> tuple[str, str, str]:
    """(name, type, what it means)"""
    said = [schema.get("description") or "", "required" if needed else ""]
    if schema.get("default") is not None:
        said.append(f"default: {schema['default']}")
    return name, _type(schema), "; ".join(filter(None, said))


def _type(schema: Json) -> str:
    """`string or number`; a choice is its values."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(_type(option) for option in options))
    return str(schema.get("type", "anything"))


def _table(caption: str, rows: list[tuple[str, str, str]]) -> str:
    if not rows:
        return ""
    lines = (
        f"<tr><th scope='row'><code>{escape(name)}</code></th><td class='dim'>{escape(kind)}</td>"
        f"<td>{escape(said)}</td></tr>\n"
        for name, kind, said in rows
    )
    return f'<div class="scroll"><table class="api"><caption>{caption}</caption>\n{"".join(lines)}</table></div>\n'
