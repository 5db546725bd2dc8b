"""miner-monitor as people meet it: the real process, a cgminer, a bus of files, and a Telegram at the other end."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from ops import miner, service_call
from ops.errors import OpsError
from ops.inventory import Host
from tests.fakes.cgminer import Cgminer, Stick
from tests.fakes.telegram import TOKEN, Telegram
from tests.miner.usb_kit import Bus, Plug
from tests.runtime.process_kit import Answer, Daemon
from tests.ssh_kit import CONNECTION

OPS_KEY = "ops-key-of-the-tests"
SERIALS = ("10001", "10002")


def wait(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "still not true"
        time.sleep(0.02)
    return found


@dataclass
class World:
    """A machine with two sticks that are mined with, its monitor, and all that is around it."""

    folder: Path
    bus: Bus
    cgminer: Cgminer
    environ: dict[str, str]
    daemons: list[Daemon] = field(default_factory=list)

    def daemon(self, module: str, **environ: str) -> Daemon:
        """Not started."""
        made = Daemon(module, self.environ | environ, self.folder / f"{module}.log", outbox=False)
        self.daemons.append(made)
        return made

    def monitor(self, **environ: str) -> Daemon:
        return self.daemon("miner.monitor", **environ).start()

    def plug(self, serial: str, port: str, **more: Any) -> None:
        self.bus.plug(Plug(port, serial, number=int(port[-1]), driver="usbfs", **more))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    state = tmp_path / "state"
    state.mkdir()
    bus = Bus(tmp_path / "usb")
    bus.hub("1-1")
    with Cgminer(sticks=[Stick(serial) for serial in SERIALS]) as cgminer:
        environ = {"TRADING_STATE_DIR": str(state), "LISTEN_PORT": "0", "OPS_ADMIN_KEY": OPS_KEY}
        environ |= {"MONITOR_CGMINER": f"127.0.0.1:{cgminer.port}", "MONITOR_HOST": "rig", "UI_LANGUAGE": "en"}
        environ |= {"MONITOR_SYSFS": str(bus.sysfs), "MONITOR_DEV": str(bus.dev), "MONITOR_MINER_USER": "root"}
        environ |= {"MONITOR_INTERVAL": "1", "MONITOR_RULES": str(tmp_path / "rules.json")}
        made = World(tmp_path, bus, cgminer, environ)
        for number, serial in enumerate(SERIALS, 1):
            made.plug(serial, f"1-1.{number}")
        yield made
        for daemon in made.daemons:
            if daemon.alive:
                daemon.kill()


def sticks(monitor: Daemon) -> dict[str, Any]:
    return {one["key"]: one for one in monitor.get("/api/miner")["sticks"]}


def alerts(monitor: Daemon) -> set[tuple[str, str]]:
    return {(one["rule"], one["target"]) for one in monitor.get("/api/monitor")["alerts"]}


def order(monitor: Daemon, path: str, **body: Any) -> Answer:
    return monitor.post({"ops_key": OPS_KEY, **body}, path)


@contextlib.contextmanager
def read(monitor: Daemon, path: str) -> Iterator[http.client.HTTPResponse]:
    """An answer that is no JSON."""
    line = http.client.HTTPConnection("127.0.0.1", int(monitor.url.rpartition(":")[2]), timeout=30)
    line.request("GET", path)
    with line.getresponse() as answer:
        yield answer
    line.close()


def kinds_of(monitor: Daemon) -> set[str]:
    """The events that its stream begins with."""
    with read(monitor, "/api/live") as answer:
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        kinds = set[str]()
        while len(kinds) < 4:
            line = answer.readline().decode()
            kinds |= {line[7:].strip()} if line.startswith("event: ") else set()
    return kinds


def test_what_it_shows_of_a_miner(world: World) -> None:
    monitor = world.monitor(MONITOR_WATTS="11.5")
    wait(lambda: monitor.get("/api/miner")["api"] == "up" and len(sticks(monitor)) == 2)
    shown = monitor.get("/api/miner")
    stick = sticks(monitor)["10001"]
    assert (stick["model"], stick["port"], stick["in_use_by"], stick["status"]) == ("CompacF", "1-1.1", "cgminer", "ok")
    assert stick["present"] is stick["usable"] is True
    assert shown["total"]["ghs"] == pytest.approx(sum(one["ghs"] for one in shown["sticks"]))
    assert shown["total"]["watts"] == 11.5
    assert [pool["active"] for pool in shown["pools"]] == [True]
    assert monitor.get("/ready")["ok"]
    known = monitor.get("/api/monitor")
    assert (known["host"], known["ok"], known["alerts"]) == ("rig", True, [])
    assert {"host.cpu_ratio", "disk.free_ratio", "stick.ghs"} <= {one["metric"] for one in known["readings"]}
    series = wait(lambda: monitor.get("/api/series?metric=miner.ghs")["points"])
    assert series[-1][1] == pytest.approx(shown["total"]["ghs"], rel=1e-3)
    assert {"hello", "miner", "monitor", "beat"} <= kinds_of(monitor)
    with read(monitor, "/metrics") as answer:
        text = answer.read().decode()
    assert 'trading_stick_present{stick="10001"} 1.0' in text
    assert "trading_miner_api 1.0" in text and "trading_monitor_cycles_total" in text
    assert OPS_KEY not in monitor.said


@pytest.fixture
def phone(world: World) -> Iterator[Telegram]:
    """Telegram, told by tv-telegram of what the webhook's store holds."""
    fake = Telegram().start()
    bot = world.daemon(
        "runtime.telegram",
        TELEGRAM_BOT_TOKEN=TOKEN,
        TELEGRAM_CHAT_ID="42",
        TELEGRAM_BASE_URL=fake.url,
        TELEGRAM_LANGUAGE="en",
    )
    bot.launch()
    wait(lambda: "ready" in bot.said)
    yield fake
    fake.stop()


def test_an_unplugged_stick_is_told_and_told_to_be_back(world: World, phone: Telegram) -> None:
    monitor = world.monitor()
    wait(lambda: len(sticks(monitor)) == 2 and monitor.get("/api/miner")["api"] == "up")
    world.bus.unplug("1-1.2")
    world.cgminer.unplug("10002")
    wait(lambda: "10002" in phone.text)
    assert ("stick.missing", "10002") in alerts(monitor)
    assert sticks(monitor)["10002"]["status"] == "missing"
    world.plug("10002", "1-1.2")
    world.cgminer.replug("10002")
    wait(lambda: ("stick.missing", "10002") not in alerts(monitor))
    wait(lambda: phone.text.count("10002") >= 2)
    wait(lambda: sticks(monitor)["10002"]["status"] == "ok")


def test_an_incident_is_told_once_over_a_restart(world: World, phone: Telegram) -> None:
    monitor = world.monitor()
    wait(lambda: len(sticks(monitor)) == 2)
    world.bus.unplug("1-1.2")
    wait(lambda: "10002" in phone.text)
    monitor.kill()
    monitor.start()
    wait(lambda: ("stick.missing", "10002") in alerts(monitor))
    cycles = monitor.get("/api/monitor")["at"]
    wait(lambda: monitor.get("/api/monitor")["at"] > cycles)
    world.plug("10002", "1-1.2")
    wait(lambda: ("stick.missing", "10002") not in alerts(monitor))
    wait(lambda: phone.text.count("10002") >= 2)
    assert phone.text.count("10002") == 2, phone.text


def test_a_miner_that_hangs_is_noticed(world: World) -> None:
    (world.folder / "rules.json").write_text(json.dumps({"miner.api_down": {"grace": 0}}))
    monitor = world.monitor(MONITOR_CGMINER_TIMEOUT="0.5")
    wait(lambda: monitor.get("/api/miner")["api"] == "up")
    world.cgminer.hang()
    wait(lambda: ("miner.api_down", "") in alerts(monitor))
    assert monitor.get("/api/miner")["api"] == "slow"
    world.bus.unplug("1-1.1")
    wait(lambda: ("stick.missing", "10001") in alerts(monitor))


def test_what_only_the_operator_may(world: World) -> None:
    monitor = world.monitor()
    wait(lambda: len(sticks(monitor)) == 2)
    assert monitor.post({"scope": "stick.*", "minutes": 5}, "/api/mute").status == 403
    assert monitor.post({"ops_key": "no", "what": "miner"}, "/api/restart").status == 403
    assert order(monitor, "/api/mute", scope="stick.*", minutes=0).body["field"] == "minutes"
    muted = order(monitor, "/api/mute", scope="stick.*", minutes=5, by="somebody")
    assert [(one["scope"], one["by"]) for one in muted.body["mutes"]] == [("stick.*", "somebody")]
    world.bus.unplug("1-1.2")
    wait(lambda: ("stick.missing", "10002") in alerts(monitor))
    assert [one["muted"] for one in monitor.get("/api/monitor")["alerts"]] == [True]
    assert order(monitor, "/api/unmute", scope="stick.*").body["mutes"] == []
    refused = order(monitor, "/api/restart", what="miner", why="a test")
    assert refused.status == 409 and refused.body["error"], "nobody here may restart it: the role's folder is not there"
    assert order(monitor, "/api/forget", stick="10001").status == 409, "it is plugged in"
    assert order(monitor, "/api/forget", stick="10002").status == 200
    wait(lambda: ("stick.missing", "10002") not in alerts(monitor))


def test_a_stick_that_was_given_away_is_forgotten_by_a_task(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monitor = world.monitor()
    wait(lambda: len(sticks(monitor)) == 2)
    monkeypatch.setattr(service_call, "monitor", lambda host: described(monitor, host))
    rig = Host("rig", "10.0.0.1", roles=("monitor",))
    with pytest.raises(OpsError, match="answered 409 10002 is plugged in, or is not known"):
        miner.forget(rig, "10002", json=False)
    world.bus.unplug("1-1.2")
    wait(lambda: ("stick.missing", "10002") in alerts(monitor))
    miner.forget(rig, "10002", json=True)
    assert json.loads(capsys.readouterr().out) == {"host": "rig", "stick": "10002", "forgotten": True}
    wait(lambda: ("stick.missing", "10002") not in alerts(monitor))


@contextlib.contextmanager
def described(monitor: Daemon, host: Host) -> Iterator[service_call.Service]:
    """As its role describes it; only the SSH connection between is a plain socket here."""
    port = int(monitor.url.rpartition(":")[2])
    config = SimpleNamespace(listen="127.0.0.1", port=port, ops_key=SecretStr(OPS_KEY))
    yield service_call.Service(host, config, CONNECTION, "miner-monitor.service")


def test_a_host_without_a_monitor_misses_nothing() -> None:
    with pytest.raises(OpsError, match="bare has no role monitor"):
        miner.forget(Host("bare", "10.0.0.2", roles=("base", "miner")), "10002", json=False)


def test_nothing_is_forgotten_without_the_operator_s_key() -> None:
    keyless = service_call.Service(
        Host("rig", "10.0.0.1"), SimpleNamespace(ops_key=None), None, "miner-monitor.service"
    )
    with pytest.raises(OpsError, match="knows no operator's key") as caught:
        keyless.operate("/api/forget", {"stick": "10002"})
    assert "ops_key" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"MONITOR_INTERVAL": "soon"}, "MONITOR_INTERVAL"),
        ({"MONITOR_UNITS": "tv-webhook"}, "expected a name such as tv-webhook.service"),
        ({"MONITOR_TUNNEL": "my tunnel"}, "expected ngrok, unit, or the public URL"),
        ({"MONITOR_CGMINER": "here"}, "such as 127.0.0.1:4028"),
    ],
)
def test_a_wrong_setting_is_said_at_once(world: World, environ: dict[str, str], words: str) -> None:
    monitor = world.daemon("miner.monitor", **environ)
    monitor.launch()
    assert monitor.process is not None and monitor.process.wait(60) == 1
    assert words in monitor.said and "Traceback" not in monitor.said


def test_rules_that_cannot_be_used_are_said_with_their_place(world: World) -> None:
    (world.folder / "rules.json").write_text(json.dumps({"stick.slow": {"treshold": 0.5}}))
    monitor = world.daemon("miner.monitor")
    monitor.launch()
    assert monitor.process is not None and monitor.process.wait(60) == 1
    assert "stick.slow" in monitor.said and "threshold" in monitor.said
