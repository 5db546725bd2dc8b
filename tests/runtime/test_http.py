"""The short way to a busy route: the same answers as the framework's own way."""

from __future__ import annotations

import warnings

import pytest
from fastapi import Request

from runtime import api, http
from runtime.payload import Invalid
from runtime.store import StoreError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

FAULTS = {"invalid": Invalid("sl", "no"), "store": StoreError("full"), "large": http.TooLarge(), "bug": KeyError("x")}


async def echo(_: http.Scope, body: bytes) -> http.JsonResponse:
    """Raises what the body names."""
    said = body.decode()
    if said in FAULTS:
        raise FAULTS[said]
    return http.JsonResponse({"got": said})


async def echo_slowly(request: Request) -> http.JsonResponse:
    return await echo(request.scope, await http.read_body(request))


@pytest.fixture(name="both")
def _both() -> tuple[TestClient, TestClient]:
    """The same handler: by the short way, by the framework's."""
    short, long = api.Api(), api.Api()
    short.post_directly("/x", echo)
    long.post("/x", name="route")(echo_slowly)
    for app in (short, long):
        api.install(app)
    return TestClient(short, raise_server_exceptions=False), TestClient(long, raise_server_exceptions=False)


@pytest.mark.parametrize("body", [*FAULTS, "hello"])
def test_both_ways_answer_alike(both: tuple[TestClient, TestClient], body: str) -> None:
    short, long = (client.post("/x", content=body) for client in both)
    assert (short.status_code, short.content) == (long.status_code, long.content)
    assert {name: value for name, value in short.headers.items()} == dict(long.headers)


def test_other_methods_and_the_openapi_page_are_the_frameworks(both: tuple[TestClient, TestClient]) -> None:
    short, long = both
    assert short.get("/x").status_code == long.get("/x").status_code == 405
    assert short.get("/openapi.json").json() == long.get("/openapi.json").json()


def test_a_fault_of_ours_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    app = api.Api()
    app.post_directly("/x", echo)
    api.install(app)
    assert TestClient(app).post("/x", content="bug").status_code == 500
    assert "POST /x failed" in caplog.text
    assert "KeyError" in caplog.text
