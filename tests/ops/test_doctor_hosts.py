"""What doctor makes of a host's facts: each trouble is named, with what it means and what mends it. Without a host."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ops.doctor_kit import AT, NODE, TUNNEL, WELL, judged, mount, sink, unit, wrong


def test_a_host_that_is_well_has_nothing_but_what_is_well() -> None:
    found = judged()
    assert wrong(found) == []
    assert {one.group for one in found} >= {"machine", "packages", "deploy", "services", "deliveries", "tunnel", "node"}


ASKED: dict[str, Any] = WELL["asked"]
ALERT = {"rule": "expiry.soon", "target": "tv", "text": "tv expires in 9 d", "severity": "warning", "muted": False}


def asked(name: str, said: Any, why: str = "") -> dict[str, Any]:
    return {"asked": {**ASKED, name: {"said": said, "why": why}}}


def told(**changed: Any) -> dict[str, Any]:
    return {"told": {**WELL["told"], **changed}}


@pytest.mark.parametrize(
    ("changed", "name", "says", "mend"),
    [
        ({"facts": {**WELL["facts"], "os": "debian 13"}}, "os", "runs debian 13", "install Debian 12"),
        (
            {"facts": {**WELL["facts"], "python": "3.13"}},
            "python",
            "the inventory says 3.11",
            'hosts.rig.python: "3.13"',
        ),
        ({"clock": {"synchronised": False, "ntp": False}}, "clock.ntp", "not synchronised", "timedatectl set-ntp true"),
        ({"mounts": [mount(free=1e9)]}, "disk.full", "/ is full: 1.0 GB free (1%)", "du -xh"),
        ({"mounts": [mount(read_only=True)]}, "disk.read_only", "/ is read-only", "remount,rw"),
        ({"mounts": [mount(inodes_free=10)]}, "disk.inodes", "no inodes left", "du -x --inodes"),
        ({"memory": {**WELL["memory"], "available": 1e8}}, "memory", "100 MB of memory", "systemd-cgtop"),
        (
            {"packages": {**WELL["packages"], "interrupted": True}},
            "dpkg.interrupted",
            "interrupted",
            "dpkg --configure",
        ),
        (
            {"packages": {**WELL["packages"], "broken": ["git"]}},
            "dpkg.interrupted",
            "half installed: git",
            "-f install",
        ),
        (
            {"failed": [{"name": "perf.service", "result": "exit-code", "log": ["no such column"]}]},
            "unit.failed",
            "perf.service failed (exit-code): no such column",
            "./inv logs --host rig --unit perf.service",
        ),
        (
            {"failed": [{"name": "nginx.service", "result": "signal", "log": []}]},
            "unit.failed",
            "nginx",
            "on rig: journalctl",
        ),
        (
            {"units": [unit("perf.service", state="inactive", sub="dead")]},
            "unit.down",
            "does not run (inactive, dead)",
            "deploy",
        ),
        (
            {"units": [unit("perf.service", state="activating", sub="auto-restart", restarts=7)]},
            "unit.loop",
            "7 times",
            "logs",
        ),
        ({"units": [unit("perf.service", restarts=30, seconds=5)]}, "unit.loop", "again and again", "./inv logs"),
        (
            {"units": [unit("perf.service", enabled="disabled")]},
            "unit.disabled",
            "perf.service is disabled",
            "./inv deploy",
        ),
        (
            {
                "ports": [
                    {"port": 8010, "unit": "perf.service", "holders": [{"name": "nc", "pid": 7, "unit": "x.service"}]}
                ]
            },
            "port.taken",
            "taken by nc (pid 7, x.service)",
            "systemctl stop x.service",
        ),
        (
            {"checks": [{"name": "c", "result": "failed", "why": "c within 1 s: no answer\nlog"}]},
            "check",
            "no answer",
            "logs",
        ),
        ({"last": {}}, "deploy.never", "nothing was ever deployed", "./inv deploy --host rig"),
        ({"last": {**WELL["last"], "end": "rolled-back"}}, "deploy.failed", "was rolled back", "./inv deploy"),
        ({"release": ""}, "release", "its release is gone", "./inv deploy"),
        ({"run": {"lock": None, "undo": 3}}, "deploy.interrupted", "interrupted", "./inv deploy"),
        (
            asked("drift", {"count": 1, "files": ["/etc/timezone: content"]}),
            "drift",
            "/etc/timezone: content",
            "./inv plan",
        ),
        (
            asked("outbox", {"sinks": {"perf": sink(dead=2)}}),
            "dead_letters",
            "perf refused 2",
            "outbox.retry --sink perf",
        ),
        (
            asked("outbox", {"sinks": {"perf": sink(error="refused", failing_since=AT)}}),
            "sink.failing",
            "refused",
            "logs",
        ),
        (
            asked("outbox", {"sinks": {"jsonl": sink(lag_sec=900.0, pending=4)}}),
            "sink.late",
            "900 s behind",
            "tv-outbox",
        ),
        (asked("outbox", None, "the store is locked"), "outbox.silent", "the store is locked", "./inv status"),
        (
            asked("probe", {**ASKED["probe"]["said"], "probe": {"ok": False, "why": "it leads elsewhere"}}),
            "tunnel.probe",
            "it leads elsewhere",
            "./inv tunnel.status --host rig",
        ),
        (
            asked("probe", {**ASKED["probe"]["said"], "inspector": "it hangs"}),
            "tunnel.inspector",
            "hangs",
            "restart ngrok-tv",
        ),
        (
            told(tunnel={**TUNNEL, "state": "failed", "why": "the URL is taken", "hint": "stop it"}),
            "tunnel",
            "the URL is taken",
            "stop it",
        ),
        (
            told(journal={"since": "2026-09-20T10:00:00Z", "code": "network"}),
            "journal.unpushed",
            "(network)",
            "github.check",
        ),
        (
            told(node={**NODE, "container": {"state": "exited", "oom": True}}),
            "node.container",
            "ran out of memory",
            "blockdag.up",
        ),
        (
            told(node={**NODE, "docker": "down", "why": "refused"}),
            "node.docker",
            "docker is down: refused",
            "blockdag.status",
        ),
        (
            told(node={**NODE, "rpc": {"state": "silent", "why": "hangs"}}),
            "node.rpc",
            "its RPC is silent: hangs",
            "blockdag.logs",
        ),
        (
            told(node={**NODE, "disk": {"bytes": 3e9, "budget_bytes": 2e9}}),
            "node.disk",
            "3 GB of a budget of 2",
            "budget",
        ),
        (told(node={**NODE, "at": "2026-09-21T14:00:00Z"}), "node.probe", "800 s ago", "blockdag-probe.service"),
        (asked("miner", {"advice": ["plug in a stick"]}), "miner", "plug in a stick", "./inv miner.status --host rig"),
        (
            asked("monitor", {"alerts": [{**ALERT, "since": AT}]}),
            "alert.expiry.soon",
            "tv expires in 9 d",
            "docs/alerts.md",
        ),
        ({"docker": {"why": "it does not answer"}}, "docker", "it does not answer", "systemctl restart docker"),
        (
            {
                "docker": {
                    "why": "",
                    "containers": [{"names": ["/dag"], "state": "restarting", "status": "Restarting (1)"}],
                }
            },
            "container",
            "container dag: Restarting (1)",
            "docker logs --tail 50 dag",
        ),
    ],
)
def test_each_trouble_is_named_with_what_mends_it(changed: dict[str, Any], name: str, says: str, mend: str) -> None:
    found = wrong(judged(**changed))
    assert [(one.name, one.level) for one in found] == [(name, "problem")]
    assert says in found[0].says and mend in found[0].mend and found[0].means


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"mounts": [mount(free=8e9)]}, "disk.low"),
        ({"memory": {**WELL["memory"], "killed": 2}}, "memory.killed"),
        ({"kernel": {"running": "6.1.0-40-amd64", "newest": "6.1.0-41-amd64", "reboot": False}}, "reboot"),
        ({"packages": {**WELL["packages"], "held": ["docker-ce"]}}, "held"),
        ({"packages": {**WELL["packages"], "at_work": True, "interrupted": True}}, "dpkg.at_work"),
        ({"run": {"lock": {"who": "ann", "since": AT, "why": "deploy"}, "undo": 3}}, "deploy.lock"),
        ({"last": {**WELL["last"], "time": "2026-01-01T00:00:00Z"}}, "deploy.old"),
        (asked("monitor", {"alerts": [{**ALERT, "since": AT, "severity": "info"}]}), "alert.expiry.soon"),
        (asked("outbox", {"sinks": {"perf": {}}}), "outbox.unknown"),
    ],
)
def test_what_can_wait_is_a_notice(changed: dict[str, Any], name: str) -> None:
    assert [(one.name, one.level) for one in wrong(judged(**changed))] == [(name, "notice")]


def test_a_clock_that_is_off_is_named_with_how_far() -> None:
    assert "63 s ahead of this machine's" in wrong(judged(skew=63))[0].says
    assert "63 s behind this machine's" in wrong(judged(skew=-63))[0].says


def test_what_is_no_fault_of_a_container_is_not_held_against_it() -> None:
    kernel = {"running": "6.8.0", "newest": "6.1.0-41-amd64", "reboot": False}
    off = unit("systemd-timesyncd.service", state="inactive", sub="dead", condition=False)
    clock = {"synchronised": False, "ntp": False}
    assert wrong(judged(container="systemd-nspawn", kernel=kernel, clock=clock, units=[off])) == []


def test_what_the_host_cannot_tell_keeps_nothing_else_from_being_told() -> None:
    unknown = dict.fromkeys(("clock", "mounts", "memory", "failed", "packages", "kernel", "run", "docker", "ports"))
    found = judged(**unknown)
    assert {one.name for one in wrong(found)} == {"clock.ntp", "dpkg"}
    assert any(one.name == "tunnel" for one in found)


def test_the_monitor_s_alert_is_not_told_twice() -> None:
    same = {**ALERT, "rule": "unit.down", "since": AT}
    assert wrong(judged(**asked("monitor", {"alerts": [same]}))) == []


@pytest.mark.parametrize(
    ("unit", "stops"),
    [
        ("x.service", "systemctl stop x.service"),
        ("ssh.service", "kill 7"),
        ("user@0.service", "kill 7"),
        ("", "kill 7"),
    ],
)
def test_a_port_s_holder_is_stopped_without_locking_anybody_out(unit: str, stops: str) -> None:
    port = {"port": 8010, "unit": "perf.service", "holders": [{"name": "nc", "pid": 7, "unit": unit}]}
    found = judged(ports=[port])
    assert [one.mend.partition(",")[0] for one in found if one.name == "port.taken"] == [f"on rig: {stops}"]
