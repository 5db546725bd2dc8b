"""/docs: the API on a page of our own, that asks nobody else and breaks on nothing that a document may hold."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from runtime.webui.reference import render


class Seen(HTMLParser):
    """The addresses a page would load, its texts, and its inline code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.texts: list[str] = []
        self.inline: list[str] = []
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag
        given = dict(attrs)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self.loads += [given.get(name) or "" for name in ("src", "href") if name in given]

    def handle_data(self, data: str) -> None:
        if self._in in ("script", "style") and data.strip():
            self.inline.append(data)
        if data.strip():
            self.texts.append(data.strip())


@pytest.mark.parametrize("name", ["webhook", "perf"])
def test_every_operation_is_there_and_nothing_is_loaded_from_elsewhere(
    name: str, request: pytest.FixtureRequest
) -> None:
    client: TestClient = request.getfixturevalue(name)
    answer = client.get("/docs")
    seen = Seen(answer.text)
    paths = client.get("/openapi.json").json()["paths"]
    wanted = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert wanted <= set(seen.texts)
    assert all(address.startswith("/") for address in seen.loads), seen.loads
    assert all(client.get(address).status_code == 200 for address in seen.loads)
    assert seen.inline == []
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_what_a_document_says_is_text() -> None:
    said = "<img src=x onerror=alert(1)>"
    operation = {
        "summary": said,
        "parameters": [{"name": said, "in": "query", "schema": {"type": said, "default": said}, "description": said}],
        "requestBody": {"description": said, "content": {"a": {"schema": {"properties": {said: {"enum": [said]}}}}}},
        "responses": {said: {"description": said}},
    }
    seen = Seen(render({"info": {"title": said}, "paths": {f"/{said}": {"get": operation}}}, "v"))
    assert sum(said in text for text in seen.texts) >= 9
    assert seen.inline == []
