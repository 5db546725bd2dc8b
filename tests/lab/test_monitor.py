"""The monitor on a deployed host: what it knows of it, and that somebody hears when a unit stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.telegram import TOKEN, Telegram
from tests.lab.conftest import DeskFor
from tests.lab.kit import INVENTORY, Desk, changed, wait_until

pytestmark = pytest.mark.lab
LAB = "monitor"

SETTINGS = """
      monitor:
        listen: 0.0.0.0
        language: en
        ops_key: {{secret: ops_key, generate: true}}
        alerts: {{rules: {{unit.down: {{for: 1, grace: 0}}, drift.found: {{for: 1}}}}}}
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


def drift(desk: Desk) -> tuple[Any, str]:
    found = [(one["value"], one["note"]) for one in known(desk)["readings"] if one["metric"] == "drift.count"]
    return found[0] if found else (None, "")


def test_a_file_that_somebody_changes_is_told_and_over_after_the_next_deploy(desk: Desk, telegram: Telegram) -> None:
    wait_until(lambda: drift(desk)[0] == 0, 120, "the host did not find itself as it was left")
    desk.on("echo '# by hand' >>/opt/trading/.env.d/monitor.env; chmod 0600 /etc/timezone")
    desk.on("systemctl start drift-check.service")  # its timer would within five minutes
    wait_until(lambda: drift(desk)[0] == 2, 90)
    assert drift(desk)[1] == "/etc/timezone: mode 0600 instead of 0644, /opt/trading/.env.d/monitor.env: content"
    wait_until(lambda: ("drift.found", "") in firing(desk), 60)
    wait_until(lambda: "files changed by hand: 2" in telegram.text, 60)
    mended = desk.deploy()
    assert changed(mended) >= {"file:/etc/timezone", "file:/opt/trading/.env.d/monitor.env"}
    wait_until(lambda: drift(desk)[0] == 0, 90, "nobody looked after the deploy")
    wait_until(lambda: ("drift.found", "") not in firing(desk), 60)


@pytest.mark.parametrize(("unit", "most"), [("miner-monitor.service", 3.0), ("drift-check.service", 2.0)])
def test_it_is_confined(desk: Desk, unit: str, most: float) -> None:
    rated = desk.on(f"systemd-analyze security {unit} --no-pager | tail -1")
    figure = re.search(r"(\d+\.\d)", rated)
    assert figure and float(figure[1]) <= most, rated


def test_its_secrets_are_in_no_log(desk: Desk) -> None:
    assert desk.secret("ops_key") not in desk.on("journalctl -u miner-monitor.service --no-pager -o cat")
