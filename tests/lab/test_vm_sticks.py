"""The monitor on a real kernel with USB: sticks plugged, pulled out and plugged again, and what the phone is told.

One virtual machine for all of it, deployed to by `./inv deploy`. Its processor is emulated: what takes a second
elsewhere takes twenty here, so waits are long, no time is measured, and only the monitor runs there. The store that it
hands its news over to (PostgreSQL), tv-telegram and the fake Telegram are on the machine that runs the lab.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops import lab
from ops.lab import LabHost
from ops.lab.net import GATEWAY
from runtime.keys import Secret
from runtime.store import Store
from runtime.store.tables import SCHEMA
from tests.fakes.telegram import TOKEN, Telegram
from tests.lab.kit import Desk, checkout, wait_until
from tests.lab.stick_kit import ADAPTER, Bus, Gadget
from tests.lab.test_lab import traces
from tests.runtime.postgres import running
from tests.runtime.process_kit import Daemon

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

PATIENCE, DEPLOY = 240.0, 1200.0
INVENTORY = """
version: 1
hosts:
  {name}:
    lab: true
    roles: [base, monitor]
    settings:
      base: {{security_updates: false, time_sync: false}}
      monitor:
        listen: 0.0.0.0
        ops_key: {{secret: ops_key, generate: true}}
        database_url: {{env: LAB_DATABASE_URL}}
        language: en
        actions: {{ports: [1-*, 2-*]}}
"""
FIRST, SECOND = Gadget("first", "10001"), Gadget("second", "10001")
MINER = """cat >/etc/systemd/system/cgminer.service <<'END'
[Service]
ExecStart=/bin/sleep infinity
Restart=always
END
systemctl daemon-reload && systemctl start cgminer
"""


@dataclass
class Place:
    """The machine with its bus, its monitor, and the phone."""

    desk: Desk
    bus: Bus
    telegram: Telegram

    @property
    def url(self) -> str:
        return f"http://{self.desk.host.address}:8020"

    def get(self, path: str) -> dict[str, Any]:
        answer = httpx.get(self.url + path, timeout=60)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def sticks(self, **wanted: Any) -> list[str]:
        """The keys of the sticks of which all this is true."""
        shown = self.get("/api/miner")["sticks"]
        return sorted(one["key"] for one in shown if all(one[name] == value for name, value in wanted.items()))

    def standing(self) -> set[tuple[str, str]]:
        return {(one["rule"], one["target"]) for one in self.get("/api/monitor")["alerts"]}

    def told(self, *words: str) -> list[str]:
        """Lines of the chat that hold all of the words."""
        return [line for line in self.telegram.text.splitlines() if all(word in line for word in words)]


def wait(condition: Callable[[], Any], what: str) -> None:
    wait_until(condition, PATIENCE, what)


@pytest.fixture(scope="module")
def machine(make_machine: Callable[[str], LabHost]) -> LabHost:
    """Booted; from then on the lab's bridge has its address."""
    return make_machine("sticks")


@pytest.fixture(scope="module")
def database(machine: LabHost) -> Iterator[str]:
    """The webhook's store, where machines of the lab reach it."""
    with running(GATEWAY) as server:
        url = server.url(server.database())
        Store(Secret(url), SCHEMA).close()
        yield url


@pytest.fixture(scope="module")
def telegram(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telegram]:
    """The phone: tv-telegram as it is, between that store and a fake of Telegram's."""
    fake, folder = Telegram().start(), tmp_path_factory.mktemp("telegram")
    told = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": "42", "TELEGRAM_BASE_URL": fake.url}
    told |= {"TELEGRAM_LANGUAGE": "en", "STORE_URL": database, "TRADING_STATE_DIR": str(folder)}
    bot = Daemon("runtime.telegram", told, folder / "log")
    bot.launch()
    wait_until(lambda: fake.menu, 60, "tv-telegram did not start")
    yield fake
    bot.kill()
    fake.stop()


@pytest.fixture(scope="module")
def place(
    machine: LabHost, database: str, telegram: Telegram, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("sticks")
    desk = Desk(checkout(folder / "checkout"), machine, folder / "inventory.yaml", text=INVENTORY)
    desk.patience = DEPLOY
    bus = Bus(desk.on)
    bus.prepare()
    desk.describe()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_DATABASE_URL", database)
        desk.first = desk.deploy()
        yield Place(desk, bus, telegram)
    desk.hang_up()


def test_the_machine_is_one_with_a_kernel_of_its_own(place: Place) -> None:
    assert place.desk.on("systemd-detect-virt") == "qemu"
    assert "-amd64" in place.desk.on("uname -r")
    assert place.desk.first["failed"] == 0


def test_a_stick_is_seen_and_an_ordinary_adapter_of_the_same_numbers_is_not(place: Place) -> None:
    port = place.bus.plug(FIRST, 0)
    place.bus.plug(ADAPTER, 2)
    wait(lambda: place.sticks(present=True) == ["10001"], "the stick was not seen")
    (shown,) = place.get("/api/miner")["sticks"]
    assert (shown["model"], shown["serial"], shown["port"]) == ("CompacF", "10001", port)
    assert place.bus.seen()[place.bus.ports[2]] == ADAPTER.product, "the kernel has both"
    assert not place.told("A10K2XYZ")


def test_a_stick_that_is_pulled_out_is_told_and_that_it_is_back_too(place: Place) -> None:
    place.bus.unplug(FIRST)
    wait(lambda: place.told("stick 10001 is unplugged"), "nobody was told of the stick")
    assert ("stick.missing", "10001") in place.standing()
    place.bus.plug(FIRST, 0)
    wait(lambda: place.told("✅", "stick 10001 is unplugged"), "nobody was told that it is back")
    assert ("stick.missing", "10001") not in place.standing()


def test_two_with_equal_numbers_are_two(place: Place) -> None:
    port = place.bus.plug(SECOND, 1)
    wait(lambda: len(place.sticks(present=True)) == 2, "the second stick was not seen")
    other = f"10001@{port}"
    assert place.sticks(present=True) == ["10001", other]
    place.bus.unplug(SECOND)
    wait(lambda: place.told(f"stick {other} is unplugged"), "nobody was told of the second stick")
    assert place.sticks(present=True) == ["10001"]
    place.bus.plug(SECOND, 1)
    wait(lambda: place.told("✅", f"stick {other} is unplugged"), "nobody was told that the second is back")
    assert len(place.told("stick 10001 is unplugged")) == 2, "the first one's alert and its end, and no more"


def test_an_adapter_that_comes_and_goes_is_no_news(place: Place) -> None:
    place.bus.unplug(ADAPTER)
    place.bus.plug(ADAPTER, 2)
    wait(lambda: place.bus.seen().get(place.bus.ports[2]) == ADAPTER.product, "the adapter did not come back")
    before = place.get("/api/monitor")["at"]
    wait(lambda: place.get("/api/monitor")["at"] > before, "the monitor stands still")
    assert not place.told("A10K2XYZ") and len(place.sticks()) == 2


def test_a_stick_that_the_miner_may_not_open_is_told_until_the_rule_is_there(place: Place) -> None:
    from roles.miner.role import RULES, _udev

    on = place.desk.on
    on("groupadd -f plugdev; id cgminer >/dev/null 2>&1 || useradd -r -G plugdev cgminer")
    wait(lambda: place.told("stick 10001", "may not open it"), "nobody was told of the missing right")
    (rules,) = [one for one in _udev() if getattr(one, "path", "") == RULES]
    place.desk.on(f"cat >{RULES}; udevadm control --reload; udevadm trigger --subsystem-match=usb; udevadm settle",
                  stdin=rules.content)  # type: ignore[attr-defined]  # fmt: skip
    wait(lambda: len(place.sticks(usable=True)) == 2, "the rule did not help")
    wait(lambda: place.told("✅", "stick 10001", "may not open it"), "nobody was told that the right is there")


def test_the_power_of_a_sticks_port_is_given_a_break_by_the_real_program(place: Place) -> None:
    """As the monitor's user, who can do no more than leave the request."""
    before = _device_number(place, "1-1")
    done = _ask_root(place, "power.1-1")
    assert done == {"ok": True, "code": "done", "detail": "1-1"}
    wait(lambda: _device_number(place, "1-1") not in ("", before), "the stick did not come back")
    assert _ask_root(place, "power.3-1")["code"] == "port not allowed"
    place.bus.unplug(SECOND)
    place.bus.unplug(ADAPTER)
    place.bus.plug(ADAPTER, 1)
    wait(lambda: place.bus.seen().get(place.bus.ports[1]) == ADAPTER.product, "the adapter did not move")
    assert _ask_root(place, "power.2-1") == {"ok": False, "code": "other device", "detail": ADAPTER.product}


def test_a_restart_that_is_asked_for_is_announced_done_and_recorded(place: Place) -> None:
    place.desk.on(MINER)
    before = place.desk.on("systemctl show -P InvocationID cgminer")
    order = {"ops_key": place.desk.secret("ops_key"), "what": "miner", "why": "lab", "by": "test"}
    answer = httpx.post(f"{place.url}/api/restart", json=order, timeout=60)
    assert answer.status_code == 202, answer.text
    wait(lambda: place.told("Restart of cgminer: done."), "nobody was told of its end")
    assert place.told("Restart of cgminer: now. By test. Why: lab")
    assert place.desk.on("systemctl show -P InvocationID cgminer") != before
    assert place.get("/api/monitor")["actions"][0]["outcome"] == "done"
    again = httpx.post(f"{place.url}/api/restart", json=order, timeout=60)
    assert again.status_code == 429, again.text


def test_whoever_has_the_monitor_can_do_nothing_else_as_root(place: Place) -> None:
    on = place.desk.on
    exposure = on("systemd-analyze security --no-pager miner-actions.service | tail -1").split(": ")[1].split()[0]
    assert float(exposure) <= 2.0
    assert on("stat -c '%U %a' /var/lib/miner-actions /var/lib/miner-actions/results").split("\n") == ["root 755"] * 2
    refused = on("runuser -u trading -- sh -c 'ln -s /etc /var/lib/miner-actions/results/x' 2>&1; true")
    assert "Permission denied" in refused
    on("runuser -u trading -- ln -s /etc/hostname /var/lib/miner-actions/requests/0-0.restart")
    wait(lambda: on("ls -A /var/lib/miner-actions/requests") == "", "root did not clear what is no request")
    assert on("cat /etc/hostname") == place.desk.host.name


def test_it_is_told_like_any_other_and_goes_without_a_trace(place: Place) -> None:
    name = place.desk.host.name
    told = place.desk.inv("lab.info", "--name", name, "--json").json()
    assert told["ssh"]["address"] == place.desk.host.address
    taken = place.desk.inv("lab.up", "--name", name)
    assert taken.code == 0, "it runs already"
    assert traces(name)
    assert lab.down(name, say=lambda text: None)
    assert traces(name) == []
    assert lab.info(name) is None


def _device_number(place: Place, port: str) -> str:
    return place.desk.on(f"cat /sys/bus/usb/devices/{port}/devnum 2>/dev/null; true")


def _ask_root(place: Place, what: str) -> dict[str, Any]:
    folder = "/var/lib/miner-actions"
    id = place.desk.on("echo $(cut -c1-8 /proc/sys/kernel/random/boot_id)-$(od -An -N6 -tx1 /dev/urandom | tr -d ' ')")
    place.desk.on(f"runuser -u trading -- touch {folder}/requests/{id}.{what}")
    wait(lambda: place.desk.on(f"cat {folder}/results/{id}.json 2>/dev/null; true"), f"no answer to {what}")
    found: dict[str, Any] = json.loads(place.desk.on(f"cat {folder}/results/{id}.json"))
    return found
