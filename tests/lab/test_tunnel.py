"""Role tunnel on a real host: an agent that behaves like ngrok's, from a signed Debian repository of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ops.lab.net import GATEWAY
from ops.paths import ROOT
from tests.fakes.telegram import TOKEN as BOT
from tests.fakes.telegram import Telegram
from tests.lab.apt_kit import Repository, served
from tests.lab.conftest import DeskFor
from tests.lab.kit import INVENTORY, Desk, wait_until

pytestmark = pytest.mark.lab
LAB = "tunnel"
TOKEN = "2lab-a-token-that-must-be-nowhere"
ALERT = {"engine": "NGROK_TEST", "signal": "SELL", "symbol": "BTCUSDT.P", "tf": "60", "price": 999}
PUBLIC = 8443

SETTINGS = """
      monitor:
        listen: 0.0.0.0
        language: en
        interval: 1
        ops_key: {{secret: ops_key, generate: true}}
        alerts:
          flapping: {{times: 20}}
          rules:
            tunnel.down: {{for: 1, clear_for: 1, grace: 0}}
            tunnel.inspector_hangs: {{for: 1, clear_for: 1, grace: 0}}
            unit.down: {{for: 1, clear_for: 1, grace: 0}}
      telegram:
        bot_token: {{env: LAB_TELEGRAM_TOKEN}}
        chat_id: 42
        language: en
        base_url: "{telegram}"
      tunnel:
        token: {{env: LAB_TUNNEL_TOKEN}}
        ops_key: {{secret: ops_key, generate: true}}
        url: http://{address}:8443
        version: {version}
        repository:
          uri: {uri}
          suite: stable
          key: |
{key}
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, desk_for: DeskFor) -> Iterator[tuple[Repository, str]]:
    desk_for(LAB)  # the gateway has its address once there is a host
    made = vendor(tmp_path_factory.mktemp("vendor"))
    with served(made) as uri:
        yield made, uri


def vendor(folder: Path) -> Repository:
    """Two versions of a stand-in for ngrok's agent."""
    program = (ROOT / "tests/fakes/ngrok.py").read_text().replace("#!/usr/bin/env python3", "#!/usr/bin/python3")
    made = Repository(folder)
    for version in ("3.1.0", "3.2.0"):
        made.add("ngrok", version, {"usr/bin/ngrok": program}, depends="python3")
    made.index()
    return made


class Phone:
    """What people are told of one thing, from the last `begin` on."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram
        self._from = 0

    def begin(self) -> None:
        self._from = len(self.telegram.sent)

    def told(self, words: str) -> list[str]:
        """Messages that something is wrong."""
        lines = [line for one in self.telegram.sent[self._from :] for line in one.text.splitlines()]
        return [line for line in lines if words in line and "✅" not in line]

    def ended(self, words: str) -> bool:
        sent = self.telegram.sent[self._from :]
        return any(words in line and "✅" in line for one in sent for line in one.text.splitlines())


def described(desk: Desk, made: Repository, uri: str, version: str = "3.1.0") -> None:
    key = "\n".join(f"            {line}" for line in made.key.strip().splitlines())
    settings = SETTINGS.replace("{uri}", uri).replace("{key}", key).replace("{version}", version)
    desk.text = INVENTORY.replace("webhook, perf]", "webhook, tunnel, monitor, telegram]").split("      perf:")[0]
    desk.text += settings.replace("{address}", desk.host.address)
    desk.describe(telegram=desk.variables.get("telegram", ""))


@pytest.fixture(scope="module")
def phone(telegram: Telegram) -> Phone:
    return Phone(telegram)


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor, repository: tuple[Repository, str], telegram: Telegram) -> Iterator[Desk]:
    found = desk_for(LAB)
    found.variables["telegram"] = telegram.url
    described(found, *repository)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_TUNNEL_TOKEN", TOKEN)
        patch.setenv("LAB_TELEGRAM_TOKEN", BOT)
        found.settles()
        wait_until(lambda: standing(found) == "up", 30)
        yield found


def standing(desk: Desk) -> str:
    told = desk.on("cat /run/ngrok-tv/state.json", check=False)
    return str(json.loads(told)["state"]) if told else ""


def public(desk: Desk, path: str = "") -> str:
    return f"http://{desk.host.address}:{PUBLIC}{path}"


def test_the_agent_is_the_one_that_was_asked_for_and_signed(desk: Desk) -> None:
    assert desk.on("dpkg-query -W -f='${Version}' ngrok") == "3.1.0"
    assert desk.on("stat -c '%U %a' /opt/trading/.env.d/tunnel.secret") == "root 600"


def test_only_alerts_come_through_and_a_spoofed_caller_is_not_believed(desk: Desk) -> None:
    for path in ("/dash", "/api/state", "/metrics", "/health", "/docs"):
        assert httpx.get(public(desk, path)).status_code == 403, path
    reset = httpx.post(public(desk, "/api/reset_lock"), json={"ops_key": desk.secret("ops_key")})
    assert reset.status_code == 403
    body = ALERT | {"key": desk.secret("webhook_key")}
    answer = httpx.post(public(desk, "/tv"), json=body, headers={"X-Forwarded-For": "52.89.214.238"})
    assert answer.status_code == 200, answer.text
    events = httpx.get(f"{desk.url()}/api/events").json()["events"]
    assert events[0]["_ip"] == GATEWAY


def test_status_shows_requests_without_keys_and_proves_the_way_back(desk: Desk) -> None:
    done = desk.inv("tunnel.status", "--host", desk.host.name, "--json")
    told = done.json()
    assert (done.code, told["tunnel"]["state"], told["probe"]) == (0, "up", {"ok": True, "why": ""})
    alert = next(one for one in told["requests"] if one["path"] == "/tv")
    assert (alert["from"], alert["status"]) == (GATEWAY, 200)
    assert desk.secret("webhook_key") not in done.out
    people = desk.inv("tunnel.status", "--host", desk.host.name).out
    assert "the URL leads to this host's webhook" in people
    again = desk.inv("tunnel.replay", alert["id"], "--host", desk.host.name)
    assert again.code == 0, again.said
    assert "there is no request airt_999" in desk.inv("tunnel.replay", "airt_999", "--host", desk.host.name).err


def test_an_agent_that_dies_or_a_webhook_that_stops_is_told_and_comes_back(desk: Desk) -> None:
    desk.on("pkill -KILL -f /usr/bin/ngrok")
    wait_until(lambda: standing(desk) == "failed", 10)
    wait_until(lambda: standing(desk) == "up", 20)
    desk.on("systemctl stop tv-webhook.socket tv-webhook.service; pkill -KILL -f /usr/bin/ngrok")
    wait_until(lambda: standing(desk) == "waiting", 20)
    done = desk.inv("tunnel.status", "--host", desk.host.name)
    assert done.code == 1
    assert "the webhook does not answer" in done.out
    desk.on("systemctl start tv-webhook.socket tv-webhook.service")
    wait_until(lambda: standing(desk) == "up", 20)


DOWN = "the public URL does not lead here"
INSPECTOR = "ngrok's inspector does not answer"


def quiet(desk: Desk) -> None:
    """Nothing about the tunnel is wrong, as far as the monitor knows."""

    def firing() -> set[str]:
        alerts = httpx.get(f"{url}/api/monitor", timeout=10).json()["alerts"]
        return {one["rule"] for one in alerts if one["rule"].startswith(("tunnel.", "unit."))}

    url = desk.url("monitor")
    wait_until(lambda: not firing(), 60)


def test_a_tunnel_that_ends_is_told_once_and_its_return_too(desk: Desk, phone: Phone) -> None:
    quiet(desk)
    phone.begin()
    desk.on("systemctl stop ngrok-tv")
    wait_until(lambda: phone.told("ngrok-tv.service is down"), 40)
    desk.on("systemctl start ngrok-tv")
    wait_until(lambda: phone.ended("ngrok-tv.service is down"), 40)
    assert len(phone.told("ngrok-tv.service is down")) == 1
    assert not phone.told(DOWN), "it is the same thing"


def test_an_inspector_that_hangs_is_told_once_and_takes_no_alert_away(desk: Desk, phone: Phone) -> None:
    quiet(desk)
    phone.begin()
    desk.on("pkill -USR1 -f [/]usr/bin/ngrok; systemctl restart miner-monitor")
    wait_until(lambda: phone.told(INSPECTOR), 40)
    assert "no answer from http://127.0.0.1:4040 within 5 s" in phone.told(INSPECTOR)[0]
    assert httpx.post(public(desk, "/tv"), json=ALERT | {"key": desk.secret("webhook_key")}).status_code == 200
    desk.on("pkill -USR1 -f [/]usr/bin/ngrok")
    wait_until(lambda: phone.ended(INSPECTOR), 60)
    assert (len(phone.told(INSPECTOR)), phone.told(DOWN)) == (1, [])


def test_a_token_that_is_refused_is_told_with_what_to_do(
    desk: Desk, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet(desk)
    phone.begin()
    monkeypatch.setenv("LAB_TUNNEL_TOKEN", "revoked-token-of-the-lab")
    desk.deploy("--role", "tunnel")
    wait_until(lambda: phone.told(DOWN), 40)
    assert "ngrok refuses the token: it was revoked" in phone.told(DOWN)[0]
    assert "./inv secrets.set tunnel_token" in phone.told(DOWN)[0]
    told = desk.inv("doctor", "--host", desk.host.name)
    assert told.code == 1
    assert "tunnel: ngrok is failed since" in told.out and "ngrok refuses the token" in told.out
    assert "ngrok failed since" in desk.inv("status", "--host", desk.host.name).out
    monkeypatch.setenv("LAB_TUNNEL_TOKEN", TOKEN)
    desk.deploy("--role", "tunnel")
    wait_until(lambda: phone.ended(DOWN), 40)
    assert len(phone.told(DOWN)) == 1


def test_a_hand_started_agent_is_stopped_with_consent_only(
    desk: Desk, repository: tuple[Repository, str], phone: Phone
) -> None:
    quiet(desk)
    phone.begin()
    desk.on("systemctl stop ngrok-tv; sed s/:8000/:9/ /opt/trading/.env.d/tunnel.secret >/root/ngrok.yml")
    desk.on("systemd-run --unit=by-hand --quiet /usr/bin/ngrok start --all --config /root/ngrok.yml")
    desk.on("systemctl start ngrok-tv")
    wait_until(lambda: standing(desk) == "failed", 20)
    said = desk.inv("tunnel.status", "--host", desk.host.name).out
    assert "the URL is online elsewhere" in said
    assert "of root, unit by-hand.service" in said
    wait_until(lambda: phone.told(DOWN), 40)
    assert "the URL is online elsewhere: another agent holds it" in phone.told(DOWN)[0]
    described(desk, *repository)
    desk.text = desk.text.replace("        version:", "        take_over: true\n        version:")
    desk.describe()
    desk.deploy()
    wait_until(lambda: standing(desk) == "up", 20)
    assert desk.on("systemctl is-active by-hand", check=False) != "active"
    desk.on("rm -f /root/ngrok.yml")
    wait_until(lambda: phone.ended(DOWN), 40)
    assert len(phone.told(DOWN)) == 1


def test_the_unit_can_do_little_and_the_token_is_nowhere(desk: Desk) -> None:
    exposure = desk.on("systemd-analyze security --no-pager ngrok-tv | tail -1").split(": ")[1].split()[0]
    assert float(exposure) <= 2
    look = "cat >/dev/shm/t; grep -rlaFf /dev/shm/t /opt/trading /etc /var/log /tmp /root; true"
    assert desk.on(look, stdin=f"{TOKEN}\n") == "/opt/trading/.env.d/tunnel.secret"
    assert desk.on("journalctl --sync; journalctl --no-pager -a -o export | grep -caFf /dev/shm/t; true") == "0"
    assert desk.on("cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -caFf /dev/shm/t; true") == "0"
    desk.on("rm /dev/shm/t")


def test_another_version_is_one_value_and_another_key_is_refused(
    desk: Desk, repository: tuple[Repository, str], tmp_path: Path
) -> None:
    made, uri = repository
    described(desk, made, uri, "3.2.0")
    desk.deploy()
    assert desk.on("dpkg-query -W -f='${Version}' ngrok") == "3.2.0"
    wait_until(lambda: standing(desk) == "up", 20)
    described(desk, vendor(tmp_path), uri, "3.1.0")
    done = desk.inv("deploy", "--host", desk.host.name)
    assert done.code == 1
    assert "the package lists could not be fetched" in done.said
    described(desk, made, uri, "3.2.0")
    desk.deploy()
