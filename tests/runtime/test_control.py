"""Pause, resume, confirm, count anew: as an operator sends them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runtime import settings
from runtime.http import Edge
from runtime.webhook.app import Webhook

OPS = "ops-key-of-the-tests"
GUARDS = {
    "mode": "warn",
    "account": {"max_trades_day": 5},
    "engines": {"GOLD_CFD_LONG": {"preset": "xauusd-v2.1"}, "USDTM_LONG": {"checklist": ["funding", "news"]}},
}


@pytest.fixture
def desk(environ: dict[str, str]) -> Iterator[TestClient]:
    Path(environ["ENGINES_PATH"]).write_text(json.dumps({"guards": GUARDS}))
    app = Webhook(settings.webhook(environ)).app
    with TestClient(Edge(app), raise_server_exceptions=False, client=("127.0.0.1", 5)) as client:
        yield client


def done(client: TestClient, path: str, **body: Any) -> Any:
    answer = client.post(path, json={"ops_key": OPS} | body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def kept(environ: dict[str, str]) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(Path(environ["TRADING_STATE_DIR"]) / "webhook.db")) as store:
        return store.execute("SELECT action, scope, by, detail FROM controls ORDER BY id").fetchall()


def test_a_pause_is_shown_and_ends(desk: TestClient, environ: dict[str, str]) -> None:
    made = done(desk, "/api/pause", reason="dentist", by="telegram")
    assert (made["scope"], made["until"], made["reason"], made["by"]) == ("*", None, "dentist", "telegram")
    assert desk.get("/api/state").json()["pauses"] == [{name: made[name] for name in made if name != "ok"}]
    shown = desk.get("/api/guards").json()
    assert [pause["scope"] for pause in shown["pauses"]] == ["*"]
    assert {name: one["opens"] for name, one in shown["engines"].items()} == dict.fromkeys(shown["engines"], False)
    ended = done(desk, "/api/resume")
    assert ended == {"ok": True, "scope": "*", "was_paused": True, "still_paused_by": None}
    assert done(desk, "/api/resume")["was_paused"] is False
    assert desk.get("/api/state").json()["pauses"] == []
    assert [row[:3] for row in kept(environ)] == [
        ("pause", "*", "telegram"),
        ("resume", "*", "api"),
        ("resume", "*", "api"),
    ]


def test_pausing_twice_is_one_pause_with_the_last_word(desk: TestClient) -> None:
    first = done(desk, "/api/pause", scope="GOLD_CFD_LONG", minutes=5)
    again = done(desk, "/api/pause", scope="GOLD_CFD_LONG", minutes="30", reason="news")
    assert (again["since"], again["reason"]) == (first["since"], "news")
    assert again["until"] > first["until"]
    assert len(desk.get("/api/guards").json()["pauses"]) == 1
    done(desk, "/api/pause")
    assert done(desk, "/api/resume", scope="GOLD_CFD_LONG")["still_paused_by"] == "*"


def test_the_key_may_stand_in_the_header(desk: TestClient) -> None:
    assert desk.post("/api/pause", headers={"X-Ops-Key": OPS}).status_code == 200
    assert desk.post("/api/reset_lock", headers={"X-Ops-Key": OPS}).status_code == 200


ROUTES = ("/api/pause", "/api/resume", "/api/confirm", "/api/guards/reset")


@pytest.mark.parametrize("path", ROUTES)
def test_a_wrong_key_does_nothing(desk: TestClient, environ: dict[str, str], path: str) -> None:
    for body in ({}, {"ops_key": "wrong"}, {"ops_key": None}, {"ops_key": 5}, {"ops_key": environ["TV_WEBHOOK_KEY"]}):
        assert desk.post(path, json=body | {"item": "funding"}).status_code == 403
    assert desk.post(path, json={"ops_key": OPS, "item": "all"}, headers={"X-Ops-Key": "wrong"}).status_code == 403
    assert desk.post(path, json={"ops_key": "wrong"}, headers={"X-Ops-Key": OPS}).status_code == 403
    assert kept(environ) == []


@pytest.mark.parametrize(
    ("path", "body", "field", "said"),
    [
        ("/api/pause", {"scope": "GOLD_CFD"}, "scope", "did you mean GOLD_CFD_LONG?"),
        ("/api/pause", {"scope": 5}, "scope", "expected text"),
        ("/api/pause", {"scope": "TV_TEST"}, "scope", "no engine"),
        ("/api/pause", {"minutes": 0}, "minutes", "above 0"),
        ("/api/pause", {"minutes": "soon"}, "minutes", "expected a number"),
        ("/api/pause", {"minutes": True}, "minutes", "expected a number"),
        ("/api/pause", {"minutes": 1e9}, "minutes", "at most"),
        ("/api/pause", {"reason": "a\nb"}, "reason", "printable"),
        ("/api/pause", {"by": "x" * 33}, "by", "printable"),
        ("/api/resume", {"scope": "gold"}, "scope", "no engine"),
        ("/api/confirm", {}, "item", "is missing"),
        ("/api/confirm", {"item": "dxi"}, "item", "did you mean dxy?"),
        ("/api/confirm", {"item": ["dxy", 5]}, "item", "expected text"),
        ("/api/confirm", {"item": []}, "item", "expected text"),
        ("/api/confirm", {"item": "dxy", "scope": "USDTM_LONG"}, "item", "on no checklist"),
        ("/api/confirm", {"item": "dxy", "scope": "COINM_SHORT"}, "item", "COINM_SHORT has a checklist"),
        ("/api/confirm", {"item": "dxy", "hours": -1}, "hours", "above 0"),
    ],
)
def test_a_wrong_field_is_named(
    desk: TestClient, environ: dict[str, str], path: str, body: Any, field: str, said: str
) -> None:
    answer = desk.post(path, json={"ops_key": OPS} | body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert said in answer.json()["error"]
    assert kept(environ) == []


def missing(desk: TestClient, engine: str) -> str | None:
    findings = desk.get("/api/guards").json()["engines"][engine]["findings"]
    return next((one["text"] for one in findings if one["guard"] == "checklist"), None)


def test_a_checklist_is_confirmed_item_by_item(desk: TestClient) -> None:
    assert missing(desk, "USDTM_LONG") == "0 of 2 confirmed; missing: funding, news"
    assert done(desk, "/api/confirm", item="funding", scope="USDTM_LONG")["confirmed"] == ["funding"]
    assert missing(desk, "USDTM_LONG") == "1 of 2 confirmed; missing: news"
    assert done(desk, "/api/confirm", item="news", hours=2)["confirmed"] == ["news"]  # for every engine that asks
    assert missing(desk, "USDTM_LONG") is None
    assert (missing(desk, "GOLD_CFD_LONG") or "").startswith("1 of 8 confirmed")
    assert len(done(desk, "/api/confirm", item="all", scope="GOLD_CFD_LONG")["confirmed"]) == 8
    assert missing(desk, "GOLD_CFD_LONG") is None
    again = done(desk, "/api/confirm", item="all", scope="GOLD_CFD_LONG")
    shown = desk.get("/api/guards").json()["confirmations"]
    assert len([one for one in shown if one["scope"] == "GOLD_CFD_LONG" and one["until"] == again["until"]]) == 8


def test_the_rules_in_force_are_shown(desk: TestClient) -> None:
    shown = desk.get("/api/guards").json()
    assert shown["rules"]["*"] == {
        "timezone": "America/Montreal",
        "day_start": "00:00",
        "equity": 13_500,
        "mode": "warn",
        "max_trades_day": 5,
        "day_pct_of": "day",
        "drawdown_from": "peak",
        "winrate_window": 20,
    }
    assert shown["rules"]["GOLD_CFD_LONG"]["losing_streak"] == 3
    assert (shown["standings"]["*"]["trades_today"], shown["standings"]["*"]["equity"]) == (0, 13_500)
    assert set(desk.get("/api/state").json()["guards"]) == {"GOLD_CFD_LONG", "USDTM_LONG"}  # those with findings


def test_counting_anew_keeps_what_was_counted(desk: TestClient, environ: dict[str, str]) -> None:
    with closing(sqlite3.connect(Path(environ["TRADING_STATE_DIR"]) / "webhook.db")) as store, store:
        store.execute("INSERT INTO standings VALUES ('*', '{\"total\": -900, \"streak\": 4}')")
    assert desk.get("/api/guards").json()["standings"]["*"]["equity"] == 12_600
    assert done(desk, "/api/guards/reset")["was"]["usd_total"] == -900
    assert desk.get("/api/guards").json()["standings"]["*"]["equity"] == 13_500
    ((action, scope, _, detail),) = kept(environ)
    assert (action, scope, json.loads(detail)["streak"]) == ("reset", "*", 4)


def test_the_key_is_never_kept(desk: TestClient, environ: dict[str, str]) -> None:
    done(desk, "/api/pause", reason=f"see {OPS}", by="me")
    assert OPS not in desk.get("/api/state").text
    assert OPS not in str(kept(environ))


def test_what_was_said_survives_a_kill(service: Callable[[], Any]) -> None:
    one = service()
    one.start()
    assert one.post({"ops_key": OPS, "scope": "GOLD_CFD_LONG"}, "/api/pause").status_code == 200
    one.kill()
    two = service()
    two.start()
    assert [pause["scope"] for pause in two.get("/api/state")["pauses"]] == ["GOLD_CFD_LONG"]
