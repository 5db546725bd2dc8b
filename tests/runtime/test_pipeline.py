"""What a routed and sized alert leaves behind: events, journal, quotes, metrics, and databases of older releases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from runtime import settings
from runtime.webhook.app import Webhook
from tests.runtime.outbox_kit import delivering

Make = Callable[..., dict[str, Any]]
FIXTURES = Path(__file__).parent / "fixtures"


def newest(client: TestClient, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/events?limit=1{query}").json()["events"][0]
    return found


def test_a_sized_alert_shows_its_size_in_the_journal(
    webhook: TestClient, alert: Make, journal: Path, wait_until: Callable[..., None]
) -> None:
    webhook.post("/tv", json=alert())
    wait_until(lambda: webhook.get("/api/state").json()["journal_pending"] == 0)
    entry = json.loads(journal.read_text().split("```json\n")[1].split("\n```")[0])
    assert (entry["qty"], entry["risk_usd"], entry["risk_real_usd"]) == (3, 15, 15)
    assert entry == newest(webhook)


def test_an_unknown_engine_is_recorded_and_not_sized(webhook: TestClient, alert: Make) -> None:
    body = alert(engine="XAU_M5_SCALP", tf="M5", tp=2007, reason="branch test", qty=99)
    assert webhook.post("/tv", json=body).json() == {"ok": True, "id": 1}
    event = newest(webhook)
    assert (event["qty"], event["risk_usd"], event["risk_real_usd"], event["_outcome"]) == (0, 0, 0, "recorded")


def test_a_refusal_is_recorded_but_not_journalled(
    webhook: TestClient, alert: Make, journal: Path, wait_until: Callable[..., None]
) -> None:
    key = alert()["key"]
    wrong: list[dict[str, Any]] = [{"price": float("nan")}, {"sl": 1999.99999}, {"engine": 5}]
    wrong += [{"reason": "\ud800"}, {"x" + key: [[[[[key]]]], float("inf")]}]
    for changes in wrong:
        assert webhook.post("/tv", content=json.dumps(alert(**changes)).encode()).status_code == 400
    assert webhook.get("/api/events").json() == {"events": []}
    refused = webhook.get("/api/events?outcome=all").json()["events"]
    assert [event["field"] for event in refused] == ["x[key]"[:64], "reason", "engine", "sl", "price"]
    assert {event["_outcome"] for event in refused} == {"invalid"}
    assert key not in json.dumps(refused, ensure_ascii=False)
    webhook.post("/tv", json=alert())
    wait_until(lambda: webhook.get("/api/state").json()["journal_pending"] == 0)
    assert journal.read_text().count("## ") == 1


def test_a_stranger_leaves_no_trace(webhook: TestClient, alert: Make) -> None:
    webhook.post("/tv", json=alert(key="wrong"))
    assert webhook.get("/api/events?outcome=all").json() == {"events": []}


def test_a_quote_explains_itself(webhook: TestClient) -> None:
    quote = webhook.get("/api/risk/quote?engine=GOLD_CFD_LONG&price=2000&sl=1995&tp=2010").json()
    assert (quote["risk_usd"], quote["distance"], quote["qty"], quote["rr"]) == (15, 5, 3, 2)
    assert (quote["notional"], quote["leverage"], quote["warnings"]) == (6000, 4, [])
    assert "1500 USD x 1 %" in quote["explain"]
    assert webhook.get("/api/risk/quote?engine=XAU_M5_SCALP&price=2000&sl=1995").json()["qty"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [("price=1&sl=2", "engine"), ("engine=X&sl=2", "price"), ("engine=X&price=0&sl=2", "price"),
     ("engine=GOLD_CFD_LONG&price=2000", "sl"), ("engine=GOLD_CFD_LONG&price=2000&sl=2001", "sl"),
     ("engine=COINM_SHORT&price=2000&sl=1999", "sl"), ("engine=GOLD_CFD_LONG&price=nan&sl=1", "price"),
     ("engine=GOLD_CFD_LONG&price=2000&sl=1995&tp=x", "tp"), ("engine=GOLD_CFD_LONG&price=1e400&sl=1", "price"),
     ("engine=GOLD_CFD_LONG&price=2000&sl=1999.9999999", "sl"), ("engine=TV_TEST&price=-1&sl=1", "price")],
)  # fmt: skip
def test_a_quote_refuses_by_the_fields_name(webhook: TestClient, query: str, field: str) -> None:
    response = webhook.get(f"/api/risk/quote?{query}")
    assert (response.status_code, response.json()["field"]) == (400, field), response.text


def test_metrics_count_what_came(webhook: TestClient, alert: Make) -> None:
    assert webhook.get("/api/metrics").json()["inactive"] is True
    for changes in ({}, {}, {"engine": "TV_TEST"}, {"price": -1}, {"engine": "COINM_SHORT", "sl": 0, "tp": 0}):
        webhook.post("/tv", json=alert(**changes))
    found = webhook.get("/api/metrics?limit=100&window_min=5&inactivity_sec=60").json()
    assert (found["events"], found["duplicates"], found["inactive"]) == (5, 1, False)
    assert {name: one["BUY"] for name, one in found["by_engine"].items()} == {
        "COINM_SHORT": 1,
        "GOLD_CFD_LONG": 1,
        "TV_TEST": 1,
    }
    assert (found["by_signal"], found["refusals"]) == ({"BUY": 3}, {"invalid": 1})
    assert webhook.get("/api/state").json()["engines"]["GOLD_CFD_LONG"]["outcome"] == "invalid"


@pytest.mark.parametrize("query", ["limit=0", "window_min=0", "window_min=nan", "inactivity_sec=-1", "window_min=1e99"])
def test_a_wrong_window_is_a_400(webhook: TestClient, query: str) -> None:
    response = webhook.get(f"/api/metrics?{query}")
    assert (response.status_code, response.json()["field"]) == (400, query.split("=")[0])


@pytest.mark.parametrize("body", [b"", b"[]", b'{"ops_key": 5}', b'{"ops_key": "\\ud800"}', b"{}", b"[" * 9999])
def test_a_reset_takes_only_the_operators_key(webhook: TestClient, body: bytes) -> None:
    assert webhook.post("/api/reset_lock", content=body).status_code in {400, 403}


def test_a_database_of_the_first_release_is_brought_forward(
    environ: dict[str, str], alert: Make, journal: Path, wait_until: Callable[..., None]
) -> None:
    path = Path(environ["TRADING_STATE_DIR"]) / "webhook.db"
    with sqlite3.connect(path) as old:
        old.executescript((FIXTURES / "webhook_v0.sql").read_text())
    old.close()
    for _ in range(2):  # the second start finds it done
        with TestClient(Webhook(settings.webhook(environ)).app) as client, delivering(environ):
            events = client.get("/api/events").json()["events"]
            assert [event["reason"] for event in events[-3:]] == ["old 2", "old 1", "old 0"]
            assert set(events[-1]) == {"engine", "signal", "symbol", "tf", "price", "tp", "sl", "reason"} | {
                "_id",
                "_ts",
                "_ip",
            }
            assert client.post("/tv", json=alert()).json()["id"] == 4
            wait_until(lambda client=client: client.get("/api/state").json()["journal_pending"] == 0)
    assert journal.read_text().count("## ") == 1


def test_an_old_and_a_new_database_are_alike(environ: dict[str, str], tmp_path: Path) -> None:
    def schema(folder: Path, script: str) -> set[tuple[str, str]]:
        folder.mkdir()
        with sqlite3.connect(folder / "webhook.db") as db:
            db.executescript(script)
        with TestClient(Webhook(settings.webhook(environ | {"TRADING_STATE_DIR": str(folder)})).app):
            found = set(db.execute("SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"))
            found |= set(db.execute("SELECT name, type FROM sqlite_master"))
        db.close()
        return found

    assert schema(tmp_path / "old", (FIXTURES / "webhook_v0.sql").read_text()) == schema(tmp_path / "new", "")


LOGBOOK = json.loads((FIXTURES / "logbook_payloads.json").read_text())["alerts"]


def test_the_log_books_alerts_in_their_order_are_all_accepted(webhook: TestClient, alert: Make) -> None:
    answers = [webhook.post("/tv", json={**payload, "key": alert()["key"]}) for payload in LOGBOOK]
    assert {answer.status_code for answer in answers} == {200}
    repeated = [number for number, answer in enumerate(answers) if answer.json().get("duplicate")]
    assert [LOGBOOK[number]["reason"] for number in repeated] == ["tg_test"]  # the same Gold signal twice in a second
    assert webhook.get("/api/state").json()["active_engine"] == "COINM_SHORT"


KILLERS: list[tuple[str, dict[str, Any]]] = [
    ("event_type", {"event_type": "CANDLE"}), ("event_type", {"event_type": 5}), ("event_type", {"event_type": ""}),
    ("exit", {"event_type": "CLOSE", "exit": float("inf")}), ("exit", {"event_type": "CLOSE", "exit": -1}),
    ("exit", {"event_type": "CLOSE", "exit": True}), ("mark", {"event_type": "UPDATE", "mark": "x"}),
    ("exit", {"event_type": "CLOSE", "price": None}), ("mark", {"event_type": "UPDATE", "price": None}),
    ("id", {"id": {}}), ("id", {"id": True}), ("id", {"id": "x" * 129}), ("id", {"id": "a\nb"}),
    ("trade_id", {"trade_id": ["t"]}), ("trade_id", {"trade_id": "\u0000"}), ("sl", {"sl": 2000 - 1e-9}),
    ("price", {"price": 1e300, "tp": 0, "sl": 1}), ("sl", {"sl": 1e-300}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "changes"), KILLERS)
def test_the_new_fields_are_refused_by_name_too(
    webhook: TestClient, alert: Make, field: str, changes: dict[str, Any]
) -> None:
    response = webhook.post("/tv", content=json.dumps(alert(**changes)).encode())
    assert (response.status_code, response.json()["field"]) == (400, field), response.text
    assert newest(webhook, "&outcome=invalid")["field"] == field


_text = st.text(st.characters(exclude_categories=()), max_size=20)
_value = st.none() | st.booleans() | st.integers() | st.floats() | _text | st.lists(st.integers(), max_size=2)
_names = st.sampled_from(["event_type", "id", "ts", "time", "trade_id", "exit", "mark", "price", "sl", "engine"])
_kinds = st.sampled_from(["SIGNAL", "OPEN", "UPDATE", "CLOSE"])


@given(
    kind=_kinds,
    engine=st.sampled_from(["COINM_SHORT", "USDTM_LONG", "GOLD_CFD_LONG", "OTHER", "TV_TEST"]),
    changes=st.dictionaries(_names, _value, max_size=3),
)
@hypothesis.settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_event_breaks_it(webhook: TestClient, alert: Make, kind: str, engine: str, changes: dict[str, Any]) -> None:
    body = alert(**{"event_type": kind, "engine": engine, **changes})
    assert webhook.post("/tv", content=json.dumps(body).encode()).status_code in {200, 400, 409}
    for page in ("/api/events?outcome=all", "/api/state", "/api/metrics"):
        assert webhook.get(page).status_code == 200
