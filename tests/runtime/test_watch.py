"""/metrics and /ready, as those who watch the services read them."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from miner.readings import METRICS
from runtime import settings
from runtime.http import Edge
from runtime.perf.app import Perf
from runtime.webhook.app import Webhook
from tests.runtime.ledger_kit import OPEN

Make = Callable[..., dict[str, Any]]
Wait = Callable[..., None]
ROOT = Path(__file__).parents[2]


def scrape(client: Any) -> dict[tuple[Any, ...], float]:
    """{(sample, label values sorted by label...): value}"""
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(answer.text))
    assert families
    assert all(family.documentation for family in families)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_happens_is_counted_and_strangers_make_no_new_names(
    webhook: TestClient, alert: Make, wait_until: Wait
) -> None:
    webhook.post("/tv", json=alert())
    webhook.post("/tv", json=alert())
    webhook.post("/tv", json=alert(engine="TV_TEST"))
    webhook.post("/tv", json=alert(price="x"))
    for number in range(20):
        webhook.post("/tv", json=alert(engine=f"STRANGE_{number}"))
        webhook.get(f"/no/such/page/{number}")
        webhook.request(f"STRANGE{number}", "/tv")
    webhook.post("/tv", json=alert(key="wrong"))
    webhook.post("/tv", json=alert(engine="COINM_SHORT", signal="SELL", symbol="BTC", sl=2100, tp=1900))
    wait_until(lambda: webhook.get("/api/state").json()["sinks"]["jsonl"]["pending"] == 0)
    found = scrape(webhook)
    assert found["trading_alerts_total", "GOLD_CFD_LONG", "opened"] == 1
    assert found["trading_alerts_total", "GOLD_CFD_LONG", "duplicate"] == 1
    assert found["trading_alerts_total", "GOLD_CFD_LONG", "invalid"] == 1
    assert found["trading_alerts_total", "test", "recorded"] == 1
    assert found["trading_alerts_total", "other", "recorded"] == 20
    assert found["trading_http_request_duration_seconds_count", "POST", "/tv", "403"] == 1
    assert found["trading_http_request_duration_seconds_count", "POST", "/tv", "200"] == 24
    assert found["trading_http_request_duration_seconds_count", "GET", "other", "404"] == 20
    assert sum(value for key, value in found.items() if key[0].endswith("request_duration_seconds_count")) > 60
    assert not any("STRANGE" in part or "/no/" in part for key in found for part in key)
    assert found["trading_lock_held", "COINM_SHORT"] == 1
    assert found["trading_lock_held", "USDTM_LONG"] == 0
    assert 0 <= found["trading_last_event_age_seconds",] < 60
    assert 0 <= found["trading_engine_last_event_age_seconds", "COINM_SHORT"] < 60
    assert found["trading_sink_pending", "jsonl"] == 0
    assert found["trading_sink_pending", "perf"] == 2
    assert found["trading_store_commit_seconds_count",] == found["trading_store_commit_writes_count",] > 0
    assert found["trading_store_readable",] == 1
    assert found["process_resident_memory_bytes",] > 1e7
    assert ("trading_build_info", "tv-webhook", "unknown") in found or any(
        key[0] == "trading_build_info" for key in found
    )


def test_histograms_add_up(webhook: TestClient) -> None:
    for _ in range(5):
        webhook.get("/health")
    found = scrape(webhook)
    name = "trading_http_request_duration_seconds"
    buckets = [(key[1], value) for key, value in found.items() if key[0] == f"{name}_bucket" and "/health" in key]
    values = [value for _, value in buckets]
    assert values == sorted(values)
    assert values[-1] == found[f"{name}_count", "GET", "/health", "200"] == 5
    assert 0 < found[f"{name}_sum", "GET", "/health", "200"] < 5


def test_the_ledgers_numbers(perf: TestClient) -> None:
    assert perf.post("/perf/event", json=OPEN).status_code == 200
    perf.get("/perf/summary")
    found = scrape(perf)
    assert found["trading_ledger_events_total", "OPEN"] == 1
    assert found["trading_ledger_open_trades",] == 1
    assert found["trading_ledger_equity_last",] == 10_000
    assert found["trading_http_request_duration_seconds_count", "GET", "/perf/summary", "200"] == 1


def test_the_ledgers_numbers_need_the_token_from_elsewhere(environ: dict[str, str]) -> None:
    app = Perf(settings.perf(environ)).app
    with TestClient(Edge(app), client=("203.0.113.9", 5)) as client:
        assert client.get("/metrics").status_code == 401
        token = {"Authorization": f"Bearer {environ['PERF_TOKEN']}"}
        assert client.get("/metrics", headers=token).status_code == 200


def test_a_store_that_cannot_be_read_is_a_number_too(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(Webhook(settings.webhook(environ)).app) as client:
        with sqlite3.connect(Path(environ["TRADING_STATE_DIR"]) / "webhook.db") as store:
            store.execute("ALTER TABLE outbox RENAME TO gone")
        store.close()
        found = scrape(client)
    assert found["trading_store_readable",] == 0
    assert ("trading_sink_pending", "perf") not in found


def test_scraping_while_alerts_come_in_disturbs_neither(service: Callable[..., Any], alert: Make) -> None:
    running = service().start()
    done = threading.Event()
    scrapes: list[int] = []

    def watch() -> None:
        with httpx.Client(base_url=running.url) as client:
            while not done.is_set():
                scrapes.append(client.get("/metrics").status_code)

    thread = threading.Thread(target=watch)
    thread.start()
    with httpx.Client(base_url=running.url) as client:
        took = [client.post("/tv", json=alert(id=n)).elapsed.total_seconds() for n in range(150)]
    done.set()
    thread.join()
    assert set(scrapes) == {200}
    assert sorted(took)[120] < 0.5


def ready(environ: dict[str, str], **changes: str) -> tuple[int, dict[str, Any]]:
    with TestClient(Webhook(settings.webhook(environ | changes)).app) as client:
        answer = client.get("/ready")
        return answer.status_code, answer.json()


def test_a_disk_that_is_nearly_full_is_not_ready_and_says_the_figure(environ: dict[str, str]) -> None:
    code, said = ready(environ, READY_MIN_FREE_MB="1000000")
    assert code == 503
    assert said["ok"] is False
    assert "at least 1000000 MB are wanted" in said["checks"]["disk"]
    assert said["checks"]["store"] == "ok"
    with TestClient(Perf(settings.perf(environ | {"READY_MIN_FREE_MB": "1000000"})).app) as client:
        assert client.get("/ready").status_code == 503
    assert ready(environ, READY_MIN_FREE_MB="0")[0] == 200


def test_a_dead_ledger_is_degraded_and_still_ready(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, wait_until: Wait
) -> None:
    environ["READY_MAX_LAG"] = "0.5"
    running = service().start()
    assert running.get("/ready") == {
        "ok": True, "checks": {"store": "ok", "journal": "ok", "disk": "ok"}, "degraded": [],
    }  # fmt: skip
    running.post(alert())
    wait_until(lambda: running.get("/ready")["degraded"])
    answer = httpx.get(running.url + "/ready")
    assert (answer.status_code, answer.json()["degraded"]) == (200, ["perf"])
    assert "refused" in answer.json()["checks"]["perf"]
    assert answer.json()["checks"]["perf"].startswith("degraded: ")


def test_a_dead_log_book_is_not_ready(
    service: Callable[..., Any], alert: Make, journal: Path, wait_until: Wait
) -> None:
    journal.mkdir()
    running = service().start()
    running.post(alert())
    wait_until(lambda: httpx.get(running.url + "/ready").status_code == 503)
    assert "journal.md" in running.get("/ready")["checks"]["journal"]


def test_the_rules_ask_only_for_what_is_told(webhook: TestClient, perf: TestClient, alert: Make) -> None:
    webhook.post("/tv", json=alert())
    perf.get("/health")
    told = {key[0] for client in (webhook, perf) for key in scrape(client)}
    text = (ROOT / "docs" / "prometheus-alerts.yml").read_text()
    groups = yaml.safe_load(text)["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    asked = {name for rule in rules for name in re.findall(r"trading_\w+", rule["expr"])}
    measured = {f"trading_{name.replace('.', '_')}" for name in METRICS}  # what the monitor tells
    assert asked <= told | measured
    documented = set(re.findall(r"`(?:trading)?(_\w+)`", (ROOT / "docs" / "watching.md").read_text()))
    ours = [name.removeprefix("trading") for name in told if name.startswith("trading")]
    names = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in ours}
    assert names <= documented | {name.removesuffix("_total") for name in documented}
