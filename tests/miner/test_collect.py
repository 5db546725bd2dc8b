"""Each collector against the real thing: this machine, real sockets, real files, a cgminer that speaks its API."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from miner.monitor.collect.ages import Backups, Drift, Journal
from miner.monitor.collect.clocks import Clocks
from miner.monitor.collect.expiry import Expiry
from miner.monitor.collect.host import Disks, Host, Sensors
from miner.monitor.collect.services import Outbox, Ready
from miner.monitor.collect.tunnel import Tunnel
from miner.monitor.collect.units import Units
from miner.readings import Reading
from runtime import clock, probe
from runtime.journal import pending
from runtime.keys import Secret
from tests.fakes.listen import free_port
from tests.miner.collect_kit import found_by, value


def test_this_machine() -> None:
    host = Host()
    found_by(host)
    while ("host.cpu_ratio", "") not in (found := found_by(host)):
        pass
    for metric in ("host.memory_ratio", "host.cpu_ratio"):
        assert 0 <= (value(found, metric) or 0) <= 1
    assert (value(found, "host.load_ratio") or 0) >= 0


def test_kills_for_want_of_memory_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("nr_free_pages 1\noom_kill 3\n")
    host = Host(tmp_path)
    assert value(found_by(host), "host.oom_kills") == 0, "nobody knows when those before the first look were"
    (tmp_path / "vmstat").write_text("oom_kill 5\n")
    assert value(found_by(host), "host.oom_kills") == 2
    assert value(found_by(host), "host.oom_kills") == 0


def test_disks() -> None:
    found = found_by(Disks(("/", "/no/such/mount")))
    assert 0 < (value(found, "disk.free_ratio", "/") or 0) < 1
    assert found["disk.free_ratio", "/no/such/mount"] == Reading(
        "disk.free_ratio", "/no/such/mount", None, "No such file or directory"
    )


@pytest.mark.parametrize(("alarm", "holds"), [("0", 1.0), ("1", 0.0)])
def test_a_power_supply_that_does_not_hold(tmp_path: Path, alarm: str, holds: float) -> None:
    chip = tmp_path / "class/hwmon/hwmon1"
    chip.mkdir(parents=True)
    (chip / "name").write_text("rpi_volt\n")
    (chip / "in0_lcrit_alarm").write_text(f"{alarm}\n")
    assert value(found_by(Sensors(tmp_path)), "host.undervoltage") == holds


def test_the_clock_is_asked_of_the_kernel() -> None:
    assert value(found_by(Clocks()), "clock.synchronised") in (0.0, 1.0)


class Systemd:
    """A systemctl and control groups of files, for units that a test starts and stops."""

    def __init__(self, folder: Path) -> None:
        self.groups, self.program, self.asked = folder / "cgroup", folder / "systemctl", folder / "asked"
        (self.groups / "system.slice").mkdir(parents=True)
        self._answer = folder / "answer"
        self.program.write_text(f"#!/bin/sh\necho asked >>{self.asked}\ncat {self._answer}\n")
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def says(self, active: str = "active", sub: str = "running", restarts: int = 0, load: str = "loaded") -> None:
        lines = ["Id=a.service", f"LoadState={load}", f"ActiveState={active}", f"SubState={sub}", "Result=success"]
        lines += [f"NRestarts={restarts}", f"ControlGroup={'/system.slice/a.service' if active == 'active' else ''}"]
        self._answer.write_text("\n".join(lines) + "\n")

    def runs(self, *, populated: bool) -> None:
        group = self.groups / "system.slice/a.service"
        group.mkdir(exist_ok=True)
        (group / "cgroup.events").write_text(f"populated {int(populated)}\nfrozen 0\n")

    @property
    def times_asked(self) -> int:
        return len(self.asked.read_text().splitlines())


def test_units_are_looked_at_without_asking_systemd_each_time(tmp_path: Path) -> None:
    systemd = Systemd(tmp_path)
    systemd.says(restarts=2)
    systemd.runs(populated=True)
    units = Units(("a.service",), systemd.groups, str(systemd.program))
    for _ in range(5):
        found = found_by(units)
    assert found["unit.active", "a.service"] == Reading("unit.active", "a.service", 1.0, "active (running)")
    assert value(found, "unit.restarts_per_hour", "a.service") == 0
    assert systemd.times_asked == 1
    systemd.runs(populated=False)
    systemd.says("failed", "failed", restarts=2)
    assert value(found_by(units), "unit.active", "a.service") == 0, "the empty group is asked about at once"


@pytest.mark.parametrize("ran_before", [True, False], ids=["that ran before", "that never ran"])
def test_a_stopped_unit_is_seen_to_start_without_asking_each_time(tmp_path: Path, ran_before: bool) -> None:
    """Its end was told at once; so must be its return, and not at the next full minute."""
    systemd = Systemd(tmp_path)
    units = Units(("a.service",), systemd.groups, str(systemd.program))
    if ran_before:
        systemd.says()
        systemd.runs(populated=True)
        found_by(units)
        systemd.runs(populated=False)
    systemd.says("inactive", "dead")
    for _ in range(3):
        assert value(found_by(units), "unit.active", "a.service") == 0
    asked = systemd.times_asked
    found_by(units)
    assert systemd.times_asked == asked
    systemd.says()
    systemd.runs(populated=True)
    assert value(found_by(units), "unit.active", "a.service") == 1


def test_a_unit_that_is_started_again_and_again(tmp_path: Path) -> None:
    systemd = Systemd(tmp_path)
    units = Units(("a.service",), systemd.groups, str(systemd.program))
    for restarts in range(4):
        systemd.says("activating", "auto-restart", restarts=restarts)
        found = found_by(units)
    assert value(found, "unit.active", "a.service") == 0
    assert value(found, "unit.restarts_per_hour", "a.service") == 3
    systemd.says(load="not-found", active="inactive", sub="dead")
    assert value(found_by(units), "unit.active", "a.service") is None


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = self.server.answers.get(self.path)  # type: ignore[attr-defined]
        status, headers, body = answer(self.headers) if callable(answer) else answer or (404, {}, b"")
        self.send_response(status)
        for name, text in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving(**answers: object) -> Iterator[str]:
    """A server of HTTP: `_ready=(200, {}, b"")` answers /ready; a function is given the headers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.answers = {name.replace("_", "/"): answer for name, answer in answers.items()}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def said(content: object, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()


def test_services_say_whether_they_are_ready() -> None:
    bad = said({"ok": False, "checks": {"disk": "12 MB free", "store": "ok"}}, 503)
    with serving(_ready=said({"ok": True}), _bad=bad) as url:
        nobody = f"http://127.0.0.1:{free_port()}/ready"
        found = found_by(Ready((("well", f"{url}/ready"), ("ill", f"{url}/bad"), ("gone", nobody))))
    assert value(found, "service.ready", "well") == 1
    assert found["service.ready", "ill"] == Reading("service.ready", "ill", 0.0, "503: disk: 12 MB free")
    assert found["service.ready", "gone"] == Reading("service.ready", "gone", 0.0, "nobody listens there")


def test_a_service_that_hangs_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miner.monitor.collect.services.PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}/ready"
        found = found_by(Ready((("hung", url),)))
    assert found["service.ready", "hung"].note == "no answer within 0.1 s"


def test_what_sinks_owe() -> None:
    sinks = {"journal": {"lag_sec": 4.5, "dead": 0, "error": None}, "perf": {"lag_sec": 90, "dead": 2, "error": "down"}}
    with serving(_api_state=said({"sinks": sinks})) as url:
        found = found_by(Outbox(url))
    assert value(found, "outbox.lag_s", "journal") == 4.5
    assert found["outbox.lag_s", "perf"] == Reading("outbox.lag_s", "perf", 90.0, "down")
    assert value(found, "outbox.dead", "perf") == 2


def test_the_tunnel_must_lead_to_the_one_who_has_the_key() -> None:
    ours, theirs = Secret("the operator's key"), Secret("another key, of somebody else")

    def health(key: Secret) -> object:
        def answer(headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
            proof = probe.answer(key, headers.get(probe.HEADER))
            return 200, {probe.HEADER: proof} if proof else {}, b"{}"

        return answer

    with serving(_health=health(ours)) as url, serving(_health=health(theirs)) as other:
        with serving(_api_tunnels=said({"tunnels": [{"public_url": url}]})) as inspector:
            assert found_by(Tunnel("ngrok", inspector, ours))["tunnel.reaches_us", ""].value == 1
        with serving(_api_tunnels=said({"tunnels": []})) as inspector:
            assert found_by(Tunnel("ngrok", inspector, ours))["tunnel.reaches_us", ""].note.endswith("has no tunnel")
        elsewhere = found_by(Tunnel(other, "", ours))["tunnel.reaches_us", ""]
        assert (elsewhere.value, "leads to something else" in elsewhere.note) == (0.0, True)
    gone = found_by(Tunnel(f"http://127.0.0.1:{free_port()}", "", ours))["tunnel.reaches_us", ""]
    assert gone.value == 0


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    key, made = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", str(days)]
    subprocess.run([*command, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    return key, made


def test_when_certificates_and_keys_end(tmp_path: Path) -> None:
    key, made = certificate(tmp_path, 30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    places = (("file", str(made)), ("server", f"127.0.0.1:{server.server_port}"), ("none", str(key)))
    found = found_by(Expiry(places, [("token", clock.now() + timedelta(days=2))]))
    server.shutdown()
    server.server_close()
    assert value(found, "expiry.days", "file") == pytest.approx(30, abs=0.1)
    assert value(found, "expiry.days", "server") == pytest.approx(30, abs=0.1)
    assert found["expiry.days", "none"].value is None
    assert value(found, "expiry.days", "token") == pytest.approx(2, abs=0.1)


def test_the_newest_backup_counts(tmp_path: Path) -> None:
    for age in (100, 7000):
        file = tmp_path / f"backup-{age}.tar"
        file.touch()
        os.utime(file, (clock.now().timestamp() - age,) * 2)
    found = found_by(Backups((("data", f"{tmp_path}/backup-*.tar"), ("none", f"{tmp_path}/*.zip"))))
    assert value(found, "backup.age_s", "data") == pytest.approx(100, abs=5)
    assert found["backup.age_s", "data"].note == "backup-100.tar"
    assert value(found, "backup.age_s", "none") is None


def test_what_the_log_book_has_not_pushed(tmp_path: Path) -> None:
    said = tmp_path / "sync.json"
    pending.tell(said, None)
    assert value(found_by(Journal(said)), "journal.push_age_s") == 0
    since = clock.iso(clock.now() - timedelta(hours=2))
    pending.tell(said, pending.Pending(since, 3, since, "offline", "a message with the remote in it"))
    found = found_by(Journal(said))
    assert value(found, "journal.push_age_s") == pytest.approx(7200, abs=30)
    assert found["journal.push_age_s", ""].note == "offline"


def test_drift(tmp_path: Path) -> None:
    (tmp_path / "drift.json").write_text('{"count": 2, "files": ["/etc/a", "/etc/b"]}')
    found = found_by(Drift(tmp_path / "drift.json"))
    assert found["drift.count", ""] == Reading("drift.count", "", 2.0, "/etc/a, /etc/b")


@pytest.mark.parametrize(("left", "known"), [(60, 0.0), (-60, None)])
def test_a_count_of_drift_is_believed_for_its_time_only(tmp_path: Path, left: float, known: float | None) -> None:
    until = clock.now().timestamp() + left
    (tmp_path / "drift.json").write_text(json.dumps({"count": 0, "files": [], "until": until}))
    assert value(found_by(Drift(tmp_path / "drift.json")), "drift.count") == known
