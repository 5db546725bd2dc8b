"""Through the tunnel come alerts and the signed question, and nothing else, whatever a caller writes into headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime import probe, settings
from runtime.http import Edge
from runtime.keys import Secret
from runtime.webhook.app import Webhook

Make = Callable[..., dict[str, Any]]
FORWARDED = {"X-Forwarded-For": "192.0.2.9"}
ELSEWHERE = ("/dash", "/api/state", "/api/events", "/metrics", "/docs", "/journal", "/ready", "/health")


def opened(environ: dict[str, str], **more: str) -> TestClient:
    app = Webhook(settings.webhook(environ | more)).app
    return TestClient(Edge(app), raise_server_exceptions=False, client=("127.0.0.1", 5))


@pytest.fixture
def from_tradingview(environ: dict[str, str]) -> Iterator[TestClient]:
    with opened(environ, TUNNEL_SOURCES="tradingview, 198.51.100.0/24") as client:
        yield client


@pytest.mark.parametrize("path", ELSEWHERE)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_nothing_but_alerts_comes_through(webhook: TestClient, method: str, path: str) -> None:
    refused = webhook.request(method, path, headers=FORWARDED)
    assert refused.status_code == 403
    if method != "HEAD":
        assert refused.json() == {"ok": False, "error": "only alerts come in through the tunnel"}


@pytest.mark.parametrize("path", ["/tv/", "//tv", "/TV", "/tv/../dash", "/%74v?x"])
def test_a_path_that_only_looks_like_it_does_not(webhook: TestClient, path: str, alert: Make) -> None:
    assert webhook.post(path, json=alert(), headers=FORWARDED).status_code in (200, 403)
    assert webhook.get(path, headers=FORWARDED).status_code == 403


def test_an_operators_key_opens_nothing_there(webhook: TestClient, environ: dict[str, str]) -> None:
    body = {"ops_key": environ["OPS_ADMIN_KEY"]}
    assert webhook.post("/api/reset_lock", json=body, headers=FORWARDED).status_code == 403
    assert webhook.post("/api/reset_lock", json=body).status_code == 200


def test_an_alert_comes_through_and_the_last_address_is_whose_it_is(webhook: TestClient, alert: Make) -> None:
    lines = [("X-Forwarded-For", "52.89.214.238"), ("X-Forwarded-For", "10.0.0.1, 203.0.113.9")]
    assert webhook.post("/tv", json=alert(), headers=lines).status_code == 200  # type: ignore[arg-type]
    assert webhook.get("/api/events").json()["events"][0]["_ip"] == "203.0.113.9"


def test_only_a_question_signed_with_our_key_is_answered(webhook: TestClient, environ: dict[str, str]) -> None:
    asked, wanted = probe.question(Secret(environ["OPS_ADMIN_KEY"]))
    answer = webhook.get("/health", headers=FORWARDED | {probe.HEADER: asked})
    assert (answer.status_code, answer.headers[probe.HEADER]) == (200, wanted)
    forged, _ = probe.question(Secret("somebody-else-s-key"))
    assert webhook.get("/health", headers=FORWARDED | {probe.HEADER: forged}).status_code == 403


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("52.89.214.238", 200),
        ("1.2.3.4, 52.32.178.7", 200),
        ("::ffff:34.212.75.30", 200),
        ("198.51.100.7", 200),
        ("52.89.214.238, 203.0.113.9", 403),
        ("52.89.214.238,", 403),
        ("localhost", 403),
        ("", 403),
    ],
)
def test_alerts_can_be_held_to_tradingviews_addresses(
    from_tradingview: TestClient, alert: Make, told: str, status: int
) -> None:
    assert from_tradingview.post("/tv", json=alert(), headers={"X-Forwarded-For": told}).status_code == status


def test_this_machine_and_its_network_are_not_held_back(from_tradingview: TestClient, alert: Make) -> None:
    assert from_tradingview.get("/dash").status_code == 200
    assert from_tradingview.post("/tv", json=alert()).status_code == 200


def test_a_proxy_of_ones_own_can_be_let_through(environ: dict[str, str]) -> None:
    with opened(environ, TUNNEL_ALLOWS="all") as client:
        assert client.get("/api/state", headers=FORWARDED).status_code == 200


@pytest.mark.parametrize(("name", "value"), [("TUNNEL_SOURCES", "tradingvew"), ("TUNNEL_ALLOWS", "everything")])
def test_a_word_that_means_nothing_stops_the_start(environ: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(settings.SettingsError, match=name):
        settings.webhook(environ | {name: value})
