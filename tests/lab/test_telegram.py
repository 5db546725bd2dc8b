"""tv-telegram on a deployed host, Telegram on the machine that runs the lab: news and commands work, no token shows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.telegram import TOKEN, Telegram
from tests.lab.conftest import DeskFor
from tests.lab.kit import INVENTORY, Desk, wait_until

pytestmark = pytest.mark.lab
LAB = "telegram"

SETTINGS = """
      telegram:
        bot_token: {{env: LAB_TELEGRAM_TOKEN}}
        chat_id: 42
        ops_key: {{secret: ops_key, generate: true}}
        language: en
        base_url: "{url}"
"""
ALERT = {"engine": "USDTM_LONG", "signal": "BUY", "symbol": "BTCUSDT.P", "tf": "60", "price": 68000, "sl": 67000}


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor, telegram: Telegram) -> Iterator[Desk]:
    found = desk_for(LAB)
    found.text = INVENTORY.replace("webhook, perf]", "webhook, perf, telegram]") + SETTINGS.replace(
        "{url}", telegram.url
    )
    found.describe()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_TELEGRAM_TOKEN", TOKEN)
        found.settles()
        yield found


def test_an_alert_on_the_host_arrives_on_the_phone(desk: Desk, telegram: Telegram) -> None:
    answer = httpx.post(f"{desk.url()}/tv", json=ALERT | {"key": desk.secret("webhook_key"), "reason": "lab-news"})
    assert answer.status_code == 200, answer.text
    wait_until(lambda: "lab-news" in telegram.text)
    assert "OPENED" in telegram.text
    sink = json.loads(desk.inv("outbox.status", "--host", desk.host.name, "--json").out)["sinks"]["telegram"]
    assert (sink["error"], sink["pending"]) == (None, 0)


def test_commands_reach_the_host_s_services_with_the_webhook_s_own_key(desk: Desk, telegram: Telegram) -> None:
    for command, words in (("/status", "State"), ("/perf", "Performance"), ("/pause 5", "Pause everything for 5 min?")):
        telegram.write(command)
        wait_until(lambda words=words: words in telegram.text)  # type: ignore[misc]
    telegram.press(message=next(one for one in telegram.sent if one.buttons))
    wait_until(lambda: telegram.edits)
    assert telegram.edits[-1][1] == "⏸ Paused: everything."
    assert httpx.get(f"{desk.url()}/api/guards").json()["pauses"][0]["by"] == "telegram"
    wait_until(lambda: "PAUSED everything" in telegram.text)


def test_the_unit_can_do_little_and_the_token_is_nowhere(desk: Desk) -> None:
    shown = dict(line.split("=", 1) for line in desk.on("systemctl show tv-telegram").splitlines() if "=" in line)
    assert (shown["ActiveState"], shown["User"], shown["NRestarts"]) == ("active", "trading", "0")
    assert "listening" in shown["StatusText"]
    exposure = desk.on("systemd-analyze security --no-pager tv-telegram | tail -1").split(": ")[1].split()[0]
    assert float(exposure) <= 1.3
    look = "cat >/dev/shm/t; grep -rlaFf /dev/shm/t /opt/trading /etc /var/log /run /tmp /root; true"
    assert desk.on(look, stdin=f"{TOKEN}\n") == "/opt/trading/.env.d/telegram.env"
    assert desk.on("journalctl --sync; journalctl --no-pager -a -o export | grep -caFf /dev/shm/t; true") == "0"
    assert desk.on("cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -caFf /dev/shm/t; true") == "0"
    assert desk.on("rm /dev/shm/t; stat -c '%U %a' /opt/trading/.env.d/telegram.env") == "root 600"


def test_it_restarts_at_once(desk: Desk) -> None:
    took = desk.on(
        "s=$(date +%s%N); systemctl stop tv-telegram; e=$(date +%s%N); echo $((e-s)); systemctl start tv-telegram"
    )
    assert int(took) < 3e9
    assert desk.on("systemctl is-active tv-telegram") == "active"
