"""The alerts of the user's own log book, sent to a deployed host: taken, kept, journalled, and no key told."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from ops.paths import CACHE, LAB, ROOT
from runtime import clock
from tests.lab.kit import SAID, Desk, wait_until

pytestmark = pytest.mark.lab

ALERTS = json.loads((ROOT / "tests/runtime/fixtures/logbook_payloads.json").read_text())["alerts"]
LEVELS = ("engine", "signal", "symbol", "tf", "price", "tp", "sl")
HEADING = re.compile(r"^## .*\| TV Webhook \|.*$", re.M)
SECRETS = ("webhook_key", "ops_key", "perf_token")


@pytest.fixture(scope="module")
def keys(deployed: Desk) -> dict[str, str]:
    return {name: deployed.secret(name) for name in SECRETS}


@pytest.fixture(scope="module")
def url(deployed: Desk) -> str:
    return deployed.url("webhook")


@pytest.fixture(scope="module")
def sent(deployed: Desk, keys: dict[str, str], url: str) -> Iterator[list[dict[str, Any]]]:
    """The stored events, one for each alert of the log book, in the order in which they were sent."""
    before = httpx.get(f"{url}/api/state").json()["events_total"]
    with httpx.Client() as client:
        for alert in ALERTS:  # each with an id of its own: two of them are the same alert, sent at different times
            answer = client.post(f"{url}/tv", json={**alert, "key": keys["webhook_key"], "id": secrets.token_hex(8)})
            assert (answer.status_code, answer.json()["ok"]) == (200, True), answer.text
    wait_until(lambda: httpx.get(f"{url}/api/state").json()["journal_pending"] == 0, what="the journal was not written")
    state = httpx.get(f"{url}/api/state").json()
    assert (state["events_total"] - before, state["journal_error"]) == (len(ALERTS), None)
    yield httpx.get(f"{url}/api/events", params={"limit": len(ALERTS)}).json()["events"][::-1]


def test_each_is_stored_as_it_was_sent(sent: list[dict[str, Any]]) -> None:
    for alert, event in zip(ALERTS, sent, strict=True):
        assert {name: alert[name] for name in LEVELS}.items() <= event.items()
        assert event["reason"] == alert.get("reason", "")
        assert "key" not in event


def test_each_is_in_the_log_book_once_as_the_user_writes_it(deployed: Desk, sent: list[dict[str, Any]]) -> None:
    page = deployed.on("cat /opt/trading/journal.md") + "\n"
    entries = re.split(r"(?m)^(?=## )", page)[1:]
    assert len(HEADING.findall(page)) == len(entries)
    for event in sent:
        own = [entry for entry in entries if f'"_id": {event["_id"]}\n' in entry or f'"_id": {event["_id"]},' in entry]
        assert len(own) == 1, f"alert {event['_id']} is in the log book {len(own)} times"
        assert own[0].rstrip() + "\n" == expected(event)


def expected(event: dict[str, Any]) -> str:
    """An entry, written down here from the log book itself and not from our code."""
    local = clock.from_iso(event["_ts"]).astimezone(ZoneInfo("America/Montreal"))
    raw = json.dumps(event, indent=2, ensure_ascii=False)
    head = (
        f"{local:%Y-%m-%d %H:%M}",
        "TV Webhook",
        event["engine"],
        f"{event['symbol']} {event['tf']}",
        event["signal"],
    )
    return (
        f"## {' | '.join(head)}\n"
        f"1. **Signal**: `{event['signal']}`\n2. **Engine**: `{event['engine']}`\n"
        f"3. **Symbol/TF**: `{event['symbol']}` / `{event['tf']}`\n4. **Price**: `{event['price']}`\n"
        f"5. **TP**: `{event['tp']}`\n6. **SL**: `{event['sl']}`\n7. **Reason**: {event['reason'] or '—'}\n"
        f"8. **Payload brut**:\n```json\n{raw}\n```\n"
    )


def test_a_wrong_key_is_refused_and_leaves_nothing(url: str, sent: list[dict[str, Any]]) -> None:
    before = httpx.get(f"{url}/api/state").json()["events_total"]
    for body in (ALERTS[0], {**ALERTS[0], "key": "wrong"}):
        assert httpx.post(f"{url}/tv", json={**body}).status_code in (401, 403)
    assert httpx.get(f"{url}/api/state").json()["events_total"] == before


def test_alert_test_follows_an_alert_through_the_real_endpoint(deployed: Desk) -> None:
    done = deployed.inv("alert.test", "--host", deployed.host.name)
    assert done.code == 0, done.said
    assert "POST /tv" in done.said
    assert "journal.md" in done.said


def test_alerts_and_log_book_outlive_a_restart_of_the_host_s_services(deployed: Desk, url: str, sent: Any) -> None:
    total, page = httpx.get(f"{url}/api/state").json()["events_total"], deployed.on("sha256sum /opt/trading/journal.md")
    for unit in ("tv-webhook.service", "tv-outbox.service"):
        deployed.on(f"systemctl kill -s KILL {unit}; systemctl restart {unit}")
    assert httpx.get(f"{url}/api/state").json()["events_total"] == total
    wait_until(lambda: httpx.get(f"{url}/api/state").json()["journal_pending"] == 0)
    assert deployed.on("sha256sum /opt/trading/journal.md") == page


def test_an_alert_sent_while_the_service_restarts_waits_and_is_taken(deployed: Desk, url: str, keys: Any) -> None:
    before = httpx.get(f"{url}/api/state").json()["events_total"]
    deployed.on("systemctl restart --no-block tv-webhook.service")
    for number in range(20):
        body = {**ALERTS[2], "key": keys["webhook_key"], "reason": f"restart {number}"}
        assert httpx.post(f"{url}/tv", json=body, timeout=20).status_code == 200
    assert httpx.get(f"{url}/api/state").json()["events_total"] == before + 20


def test_no_key_is_anywhere_on_the_host_but_in_the_env_files(deployed: Desk, sent: Any, keys: dict[str, str]) -> None:
    patterns = "".join(f"{value}\n" for value in keys.values())
    env = {"/opt/trading/.env", "/opt/trading/.env.d/perf.env"}
    look = "cat >/dev/shm/p; grep -rlaFf /dev/shm/p"
    held = deployed.on(f"{look} /opt/trading /etc /var/log /var/lib /run /tmp /root; true", stdin=patterns)
    assert set(held.splitlines()) == env
    assert deployed.on("journalctl --sync; journalctl --no-pager -a -o export | grep -caFf /dev/shm/p; true") == "0"
    # A process's own environment is read by root alone; its command line by everybody.
    assert deployed.on("cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -caFf /dev/shm/p; true") == "0"
    assert deployed.on("rm /dev/shm/p; stat -c %a /opt/trading/.env /opt/trading/.env.d/perf.env") == "600\n600"


def test_no_key_is_anywhere_on_our_side_either(deployed: Desk, sent: Any, keys: dict[str, str]) -> None:
    for place in (CACHE, LAB, deployed.root, deployed.inventory.parent):
        held = grep(keys, [path for path in place.rglob("*") if path.is_file()])
        assert held == [], f"a key is in {held}"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert grep(keys, [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]) == []
    for name, value in keys.items():
        assert not any(value in text for text in SAID), f"./inv printed {name}"


def grep(keys: dict[str, str], paths: list[Path]) -> list[str]:
    values = [value.encode() for value in keys.values()]
    found = []
    for path in paths:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue  # another run tidied the cache
        found += [str(path)] * any(value in data for value in values)
    return found
