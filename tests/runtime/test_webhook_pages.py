"""The webhook's other pages, and what every answer has in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

Make = Callable[..., dict[str, Any]]


def test_state_keeps_todays_keys_and_counts(webhook: TestClient, alert: Make, wait_until: Callable[..., None]) -> None:
    empty = webhook.get("/api/state").json()
    assert (empty["active_engine"], empty["updated_at"], empty["events_total"]) == (None, None, 0)
    webhook.post("/tv", json=alert())
    wait_until(lambda: webhook.get("/api/state").json()["journal_pending"] == 0)
    state = webhook.get("/api/state").json()
    assert (state["events_total"], state["journal_error"]) == (1, None)
    assert state["last_event_ts"].endswith("+00:00")


def test_events_come_newest_first(webhook: TestClient, alert: Make) -> None:
    for number in range(5):
        webhook.post("/tv", json=alert(reason=f"n{number}"))
    reasons = [event["reason"] for event in webhook.get("/api/events?limit=3").json()["events"]]
    assert reasons == ["n4", "n3", "n2"]


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1001", "", "1e3", "٣٣٣٣"])
def test_a_wrong_limit_is_a_400(webhook: TestClient, limit: str) -> None:
    response = webhook.get(f"/api/events?limit={limit}")
    assert (response.status_code, response.json()["field"]) == (400, "limit")


@pytest.mark.parametrize("path", ["/health", "/ready", "/api/state", "/api/events"])
def test_head_answers_like_get(webhook: TestClient, path: str) -> None:
    assert webhook.head(path).status_code == webhook.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nope", 404), ("GET", "/tv", 405), ("PUT", "/tv", 405)]
)
def test_an_unknown_path_is_json_too(webhook: TestClient, method: str, path: str, status: int) -> None:
    response = webhook.request(method, path)
    assert (response.status_code, response.json()["ok"]) == (status, False)
    assert response.headers["x-content-type-options"] == "nosniff"


def test_ready_says_what_is_wrong(
    webhook: TestClient, journal: Path, alert: Make, wait_until: Callable[..., None]
) -> None:
    checks = {"store": "ok", "journal": "ok", "disk": "ok"}
    assert webhook.get("/ready").json() == {"ok": True, "checks": checks, "degraded": []}
    journal.unlink(missing_ok=True)
    journal.mkdir()
    assert webhook.post("/tv", json=alert()).status_code == 200
    wait_until(lambda: webhook.get("/ready").status_code == 503)
    assert "journal" in webhook.get("/ready").json()["checks"]["journal"]
    assert webhook.get("/api/state").json()["journal_pending"] == 1
    journal.rmdir()
    wait_until(lambda: webhook.get("/ready").status_code == 200)
    assert webhook.get("/api/state").json()["journal_pending"] == 0


def test_the_openapi_page_is_there(webhook: TestClient) -> None:
    assert "/tv" in webhook.get("/openapi.json").json()["paths"]
    assert webhook.get("/docs").status_code == 200
