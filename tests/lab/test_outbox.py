"""What is asked of a deployed host from outside: its sinks, its dead letters, its numbers, and a second key."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.lab.kit import Desk, wait_until

pytestmark = pytest.mark.lab

EVENTS = "/opt/trading/logs/events.jsonl"
GOLD = {
    "engine": "GOLD_CFD_LONG",
    "signal": "BUY",
    "symbol": "XAUUSD",
    "tf": "15",
    "price": 2000,
    "tp": 2010,
    "sl": 1995,
}

BURY = """import sqlite3, sys
store = sqlite3.connect("/opt/trading/state/webhook.db")
ref = store.execute("SELECT id FROM perf_messages WHERE event_id = ?", sys.argv[1:]).fetchone()[0]
letter = ("perf", ref, "because", "2026-01-01", 0)
store.execute("INSERT INTO dead_letters (sink, ref, reason, ts, retry) VALUES (?, ?, ?, ?, ?)", letter)
store.commit()
"""


def told(desk: Desk) -> tuple[int, dict[str, object]]:
    done = desk.inv("outbox.status", "--host", desk.host.name, "--json")
    return done.code, done.json()


def pending(desk: Desk) -> int:
    state = httpx.get(f"{desk.url('webhook')}/api/state").json()
    return sum(one["pending"] for one in state["sinks"].values())


@pytest.fixture
def event(deployed: Desk) -> int:
    """The number of an alert that has just been taken; each test has its own."""
    body = {**GOLD, "key": deployed.secret("webhook_key"), "id": secrets.token_hex(8)}
    answer = httpx.post(f"{deployed.url('webhook')}/tv", json=body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


@pytest.fixture
def without_ledger(deployed: Desk) -> Iterator[None]:
    deployed.on("systemctl stop perf.socket perf.service")
    yield
    deployed.on("systemctl start perf.socket")


def test_a_well_host_says_so_and_has_each_event_in_its_file(deployed: Desk, event: int) -> None:
    wait_until(lambda: pending(deployed) == 0)
    done = deployed.inv("outbox.status", "--host", deployed.host.name)
    assert done.code == 0, done.said
    assert [line.split()[0] for line in done.out.splitlines()][:4] == ["sink", "journal", "jsonl", "perf"]
    ids = [json.loads(line)["_id"] for line in deployed.on(f"cat {EVENTS}").splitlines()]
    assert ids == list(range(1, event + 1))
    assert deployed.on(f"stat -c '%U %G %a' {EVENTS}") == "trading trading 640"


def test_a_sink_that_fails_is_named_until_it_recovers(deployed: Desk, without_ledger: None, event: int) -> None:
    wait_until(lambda: told(deployed)[0] == 1, what="the failure was not told")
    code, said = told(deployed)
    perf = said["sinks"]["perf"]  # type: ignore[index]
    assert (code, perf["pending"], perf["failing_since"] is not None) == (1, 1, True)
    deployed.on("systemctl start perf.socket")
    wait_until(lambda: told(deployed)[0] == 0, what="the recovery was not told")


def test_a_dead_letter_is_shown_and_sent_again(deployed: Desk, event: int) -> None:
    wait_until(lambda: pending(deployed) == 0)
    deployed.on(f"runuser -u trading -- python3 - {event}", stdin=BURY)
    shown = deployed.inv("outbox.status", "--host", deployed.host.name)
    assert shown.code == 1
    assert "because" in shown.out
    again = deployed.inv("outbox.retry", "--host", deployed.host.name, "--sink", "perf", "--all")
    assert again.code == 0, again.said
    wait_until(lambda: told(deployed)[0] == 0, what="it was not sent again")


def test_a_wrong_question_says_what_to_do(deployed: Desk) -> None:
    name = deployed.host.name
    assert deployed.inv("outbox.retry", "--host", name, "--sink", "perf").code == 2
    none = deployed.inv("outbox.retry", "--host", name, "--sink", "perf", "--all")
    assert none.code == 1
    assert "no dead letters" in none.err


def test_a_hardened_unit_still_tells_its_numbers(deployed: Desk, event: int) -> None:
    """It sees only a part of /proc."""
    token = {"Authorization": f"Bearer {deployed.secret('perf_token')}"}
    for service, headers in (("webhook", {}), ("perf", token)):
        answer = httpx.get(f"{deployed.url(service)}/metrics", headers=headers)
        assert answer.status_code == 200
        found = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
        assert float(found["process_resident_memory_bytes"]) > 1e7
        assert float(found["process_open_fds"]) > 5
        assert any(name.startswith("trading_build_info") and 'version="0.' in name for name in found)
    assert httpx.get(f"{deployed.url('perf')}/metrics").status_code == 401


def test_a_request_s_line_in_the_system_journal_names_it(deployed: Desk) -> None:
    name = secrets.token_hex(8)
    body = {**GOLD, "key": deployed.secret("webhook_key"), "engine": "TV_TEST"}
    httpx.post(f"{deployed.url('webhook')}/tv", json=body, headers={"X-Request-Id": name})
    line = deployed.on(f"journalctl --sync; journalctl --no-pager -o cat -u tv-webhook.service | grep request={name}")
    assert "path=/tv status=200" in line
    assert "engine=TV_TEST" in line


# As the inventory's text is filled in by format().
SECOND_KEY = "keys: {{tv-2036: {{key: {{secret: webhook_key_2036, generate: true}}, expires: 2036-12-31T00:00:00Z}}}}"


@pytest.fixture
def with_a_second_key(deployed: Desk) -> Iterator[None]:
    usual = deployed.text
    deployed.text = usual.replace("    ops_key:", f"    {SECOND_KEY}\n        ops_key:")
    deployed.describe()
    deployed.deploy()
    yield
    deployed.text = usual
    deployed.describe()
    deployed.deploy()


def test_a_second_key_opens_beside_the_first(deployed: Desk, with_a_second_key: None) -> None:
    url, names = deployed.url("webhook"), []
    for secret in ("webhook_key", "webhook_key_2036"):
        body = {**GOLD, "engine": "TV_TEST", "key": deployed.secret(secret)}
        assert httpx.post(f"{url}/tv", json=body).status_code == 200
        names.append(httpx.get(f"{url}/api/events?limit=1").json()["events"][0]["_key"])
    assert names == ["default", "tv-2036"]
