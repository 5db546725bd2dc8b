"""The monitor on a deployed host: what it knows of it, and that somebody hears when a unit stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.telegram import TOKEN, Telegram
from tests.lab.conftest import DeskFor
from tests.lab.kit import INVENTORY, Desk, wait_until

pytestmark = pytest.mark.lab
LAB = "monitor"

SETTINGS = """
      monitor:
        listen: 0.0.0.0
        language: en
        ops_key: {{secret: ops_key, generate: true}}
        alerts: {{rules: {{unit.down: {{for: 1, grace: 0}}}}}}
      telegram:
        bot_token: {{env: LAB_TELEGRAM_TOKEN}}
        chat_id: 42
        language: en
        base_url: "{url}"
"""


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor, telegram: Telegram) -> Iterator[Desk]:
    found = desk_for(LAB)
    roles = INVENTORY.replace("webhook, perf]", "webhook, perf, telegram, monitor]")
    found.text = roles + SETTINGS.replace("{url}", telegram.url)
    found.describe()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_TELEGRAM_TOKEN", TOKEN)
        found.settles()
        yield found


def known(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{desk.url('monitor')}/api/monitor", timeout=10).json()
    return found


def firing(desk: Desk) -> set[tuple[str, str]]:
    return {(one["rule"], one["target"]) for one in known(desk)["alerts"]}


def test_it_knows_its_host(desk: Desk) -> None:
    wait_until(lambda: {"perf.service", "tv-webhook.service"} <= {one["name"] for one in known(desk)["units"]}, 60)
    found = known(desk)
    assert {one["name"]: one["active"] for one in found["units"]}["perf.service"] is True
    values = {(one["metric"], one["target"]): one["value"] for one in found["readings"]}
    wait_until(
        lambda: ("service.ready", "perf") in {(one["metric"], one["target"]) for one in known(desk)["readings"]}, 60
    )
    assert 0 < values["disk.free_ratio", "/"] < 1 and 0 <= values["host.memory_ratio", ""] <= 1
    assert ("clock.synchronised", "") in values, "a container may not ask the kernel, and says so"
    assert httpx.get(f"{desk.url('monitor')}/miner", timeout=10).status_code == 200
    assert desk.on("systemctl is-active miner-monitor.service").strip() == "active"


def test_a_unit_that_stops_is_told_and_told_to_be_back(desk: Desk, telegram: Telegram) -> None:
    desk.on("systemctl stop perf.socket perf.service")
    wait_until(lambda: ("unit.down", "perf.service") in firing(desk), 60)
    wait_until(lambda: "perf.service" in telegram.text, 60)
    before = telegram.text.count("perf.service")
    desk.on("systemctl start perf.socket perf.service")
    wait_until(lambda: ("unit.down", "perf.service") not in firing(desk), 120)
    wait_until(lambda: telegram.text.count("perf.service") > before, 120)


def test_it_is_confined(desk: Desk) -> None:
    rated = desk.on("systemd-analyze security miner-monitor.service --no-pager | tail -1")
    figure = re.search(r"(\d+\.\d)", rated)
    assert figure and float(figure[1]) <= 3.0, rated
    assert desk.secret("ops_key") not in desk.on("journalctl -u miner-monitor.service --no-pager -o cat")
