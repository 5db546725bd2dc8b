"""`systemctl restart` again and again on a real host while requests keep coming: systemd's socket holds them all."""

from __future__ import annotations

import os
import secrets
from typing import Any

import httpx
import pytest

from tests.lab.conftest import DeskFor
from tests.lab.kit import Desk, wait_until
from tests.lab.stream_kit import Stream

pytestmark = pytest.mark.lab
RESTARTS = int(os.environ.get("RESTARTS", "100"))
"""Of the webhook, in a minute and a half; fewer with RESTARTS=25."""


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor) -> Desk:
    desk = desk_for("restarts")
    desk.deploy()
    return desk


def restarted(desk: Desk, unit: str, times: int) -> None:
    """Each returns when the new process said that it is ready."""
    for done in range(0, times, 10):  # a command has its time limit
        desk.on(f"for n in $(seq {min(10, times - done)}); do systemctl restart {unit} || exit 1; done")


def pid(desk: Desk, unit: str) -> str:
    return desk.on(f"systemctl show -p MainPID --value {unit}")


@pytest.mark.timeout(600)
def test_restarts_of_the_webhook_fail_no_alert(desk: Desk) -> None:
    url, key, run = desk.url(), desk.secret("webhook_key"), secrets.token_hex(4)
    base = {"key": key, "engine": "TEST_RESTART", "signal": "BUY", "symbol": "XAUUSD", "tf": "1", "price": 2000}
    stream = Stream(f"{url}/tv", lambda number: base | {"id": f"{run}-{number}"})
    before, first = httpx.get(f"{url}/api/state").json()["events_total"], pid(desk, "tv-webhook")
    stream.during(lambda: restarted(desk, "tv-webhook", RESTARTS))
    all_answered(stream)
    assert pid(desk, "tv-webhook") != first
    ids = [body["id"] for _, body in stream.answers.values()]
    assert sorted(ids) == list(range(before + 1, before + 1 + len(stream.answers))), "each is stored, and once"
    wait_until(lambda: httpx.get(f"{url}/api/state").json()["journal_pending"] == 0, 60)
    entries = desk.on(f'grep -c \'"id": "{run}-[0-9]\' /opt/trading/journal.md')
    assert int(entries) == len(ids)


@pytest.mark.timeout(600)
def test_restarts_of_the_ledger_fail_no_event(desk: Desk) -> None:
    url, token = desk.url("perf"), desk.secret("perf_token")
    headers, run = {"Authorization": f"Bearer {token}"}, secrets.token_hex(4)
    base = {"type": "OPEN", "engine": "E", "symbol": "XAUUSD", "side": "LONG", "entry": 2000, "qty": 1}
    stream = Stream(f"{url}/perf/event", lambda number: base | {"trade_id": f"{run}-{number}"}, headers)
    before = httpx.get(f"{url}/perf/summary", headers=headers).json()["total_trades"]
    stream.during(lambda: restarted(desk, "perf", max(1, RESTARTS // 10)))
    all_answered(stream)
    summary = httpx.get(f"{url}/perf/summary", headers=headers).json()
    assert summary["total_trades"] == before + len(stream.answers)


def all_answered(stream: Stream) -> None:
    statuses: dict[Any, int] = {}
    for status, _ in stream.answers.values():
        statuses[status] = statuses.get(status, 0) + 1
    assert (stream.failed, set(statuses)) == ({}, {200}), (
        f"{statuses} in {stream.seconds:.0f} s, slowest {stream.slowest:.1f} s"
    )
    assert not any(body.get("duplicate") or body.get("existing") for _, body in stream.answers.values())
    assert len(stream.answers) > RESTARTS
