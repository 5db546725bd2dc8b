"""The role monitor: what it refuses, what the service is told, and that its words for rules are the service's own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from miner import actions
from miner.alerts import fields, rules
from miner.monitor.settings import load
from ops.inventory import Host
from ops.render import render
from ops.resources import File, Unit
from roles.monitor.role import DRIFT, ENV, Config, Monitor, watched
from roles.monitor.rules import AlertsConfig, FlappingConfig, RuleConfig, WindowConfig
from tests.unit_kit import assert_hardened, needs_systemd

HOST = Host("rig", "10.0.0.1", roles=("base", "webhook", "perf", "miner", "monitor"))
ALERTS: dict[str, Any] = {
    "rules": {
        "stick.slow": {"below": 0.6, "for": "20m", "severity": "info"},
        "host.busy": None,
        "disk.data": {"metric": "disk.free_ratio", "below": 0.2, "targets": "/data", "after": {"stick.present": 60}},
    },
    "quiet_hours": {"from": "22:00", "to": "07:00"},
    "maintenance": [{"from": "03:00", "to": "03:30", "days": ["sun"], "scope": "unit.*"}],
    "flapping": {"times": 4, "within": "10m", "stable": 300},
    "daily": "08:30",
}


def config(**given: Any) -> Config:
    return Config.model_validate(given)


def files(c: Config, host: Host = HOST) -> dict[str, File]:
    return {one.path: one for one in Monitor().resources(c, host) if isinstance(one, File)}


def environment(c: Config, host: Host = HOST) -> dict[str, str]:
    """As systemd reads it; nothing in these values needs more than taking the quotes off."""
    found = files(c, host)[ENV]
    lines = render(str(found.template), dict(found.context or {})).splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value.strip('"') for name, _, value in pairs}


def test_the_service_understands_what_it_is_told() -> None:
    c = config(
        ops_key=SecretStr("ops-key-of-the-tests"),
        watts=64,
        units=["nginx.service"],
        services={"node": "http://127.0.0.1:9000/ready"},
        keys={"tv": "2027-01-31"},
        certificates={"site": "example.org:443", "own": "/etc/ssl/own.pem"},
        backups={"data": "/backup/data-*.tar.zst"},
        peers={"other": "http://10.77.0.3:8020"},
        ping_url=SecretStr("https://hc-ping.com/0a1b2c3d-aaaa-bbbb-cccc-000000000000"),
        tunnel="ngrok",
        nodes={"dag": "http://127.0.0.1:38131"},
        node_user="me",
        node_password=SecretStr('a "quoted" $password'),
    )
    found = load(environment(c))
    assert found.host == "rig"
    assert found.watched.units[-1] == "nginx.service" and "cgminer.service" in found.watched.units
    assert dict(found.watched.services)["perf"] == "http://127.0.0.1:8010/ready"
    assert found.miner.api is not None and found.miner.watts == 64
    assert found.watched.backups == (("data", "/backup/data-*.tar.zst"),)
    assert dict(found.watched.peers) == {"other": "http://10.77.0.3:8020"}
    assert (found.watched.nodes, found.watched.node_user) == ((("dag", "http://127.0.0.1:38131"),), "me")
    assert found.watched.node_password in found.secrets
    assert found.ping.reveal().startswith("https://hc-ping.com/")


def test_it_works_beside_whatever_else_is_on_the_host() -> None:
    alone = Host("alone", "10.0.0.2", roles=("base", "monitor"))
    found = load(environment(config(), alone))
    assert found.miner.api is None and found.watched.webhook == "" and found.watched.services == ()
    assert found.watched.units == ("ssh.service", "drift-check.timer")
    assert watched(config(cgminer="10.0.0.9:4028"), alone)["cgminer"] == "10.0.0.9:4028"


def test_a_node_of_this_host_is_looked_at_through_its_probe() -> None:
    """The role is named and not imported: what it keeps running is all that the monitor has to know of it."""
    found = load(environment(config(), Host("alone", "10.0.0.2", roles=("base", "docker", "blockdag", "monitor"))))
    assert found.watched.blockdag == Path("/run/blockdag/probe.json") and found.watched.nodes == ()
    assert {"docker.service", "blockdag.service", "blockdag-probe.timer"} <= set(found.watched.units)
    assert load(environment(config())).watched.blockdag is None


def test_rules_are_those_of_the_service() -> None:
    known = {(info.alias or name) for name, info in RuleConfig.model_fields.items()}
    assert known == set(fields.RULE)
    assert {name for name in AlertsConfig.model_fields if name != "rules"} == set(rules._OWN)
    assert set(FlappingConfig.model_fields) == {"times", "within", "stable"}
    assert {(info.alias or name) for name, info in WindowConfig.model_fields.items()} == {"from", "to", "days", "scope"}


def test_rules_reach_the_service_as_they_were_written() -> None:
    c = config(alerts=ALERTS)
    text = files(c)["/opt/trading/monitor.json"].content or ""
    found = rules.load(text)
    assert found.rules["stick.slow"].for_s == 1200 and "host.busy" not in found.rules
    assert found.rules["disk.data"].targets == ("/data",)
    assert found.daily == 8 * 60 + 30 and found.quiet_hours and found.maintenance
    assert json.loads(files(config())["/opt/trading/monitor.json"].content or "") == {}
    assert rules.load(files(config())["/opt/trading/monitor.json"].content or "") == rules.DEFAULTS


def test_what_may_be_done_reaches_the_service() -> None:
    c = config(actions={"miner": {"heal": True, "a_day": 2}})
    policy = actions.load(files(c)["/opt/trading/monitor-actions.json"].content or "")
    assert policy.miner.heal and policy.miner.a_day == 2 and not policy.power.heal


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"alerts": {"rules": {"stick.slow": {"treshold": 1}}}}, "treshold"),
        ({"alerts": {"rules": {"stick.slow": {"for": "soon"}}}}, "for"),
        ({"alerts": {"daily": "8 o'clock"}}, "daily"),
        ({"units": ["tv-webhook"]}, "units"),
        ({"cgminer": "here"}, "cgminer"),
        ({"backups": {"data": "/backup/$(id)"}}, "backups"),
        ({"services": {"x": "https://example.org"}}, "services"),
        ({"interval": 0.1}, "interval"),
        ({"intervall": 5}, "intervall"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        config(**given)


@needs_systemd
def test_the_unit_is_right_and_tight(tmp_path: Path) -> None:
    unit = tmp_path / "miner-monitor.service"
    text = render("systemd/miner-monitor.service.j2", {"c": config()})
    unit.write_text(text.replace("/opt/trading/venv/bin/python", "/usr/bin/python3"))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert not [line for line in checked.stderr.splitlines() if "miner-monitor" in line], checked.stderr
    assert_hardened(unit, 3)


def test_its_unit_restarts_with_everything_it_reads() -> None:
    unit = next(
        one for one in Monitor().resources(config(), HOST) if getattr(one, "unit", "") == "miner-monitor.service"
    )
    assert isinstance(unit, Unit)
    assert {one.name for one in unit.restart_on} >= {
        ENV,
        "/opt/trading/monitor.json",
        "/opt/trading/monitor-actions.json",
    }


@needs_systemd
def test_root_s_look_at_drift_is_hardened(tmp_path: Path) -> None:
    unit = tmp_path / "drift-check.service"
    unit.write_text(render("systemd/drift-check.service.j2", {"c": config()}))
    assert_hardened(unit, 2)


@pytest.mark.parametrize(
    ("given", "file", "units"),
    [
        ({}, DRIFT, 3),
        ({"drift": False}, None, 0),
        ({"drift": "/srv/drift.json"}, "/srv/drift.json", 0),
    ],
)
def test_who_counts_drift(given: dict[str, Any], file: str | None, units: int) -> None:
    """Root's own look, nobody, or another program."""
    c = config(**given)
    assert load(environment(c)).watched.drift == (Path(file) if file else None)
    assert len([one for one in Monitor().resources(c, HOST) if one.name.startswith("drift-check.")]) == units


def test_what_is_written_is_where_the_monitor_reads() -> None:
    assert f"--to {DRIFT}\n" in render("systemd/drift-check.service.j2", {"c": config()})


@pytest.mark.parametrize(
    ("given", "tunnel", "public", "inspector"),
    [
        ({}, {"url": "https://a.example"}, "https://a.example", "http://127.0.0.1:4040"),
        ({}, {"url": "https://a.example", "inspector_port": 4050}, "https://a.example", "http://127.0.0.1:4050"),
        ({}, {"kind": "cloudflared", "url": "https://a.example"}, "https://a.example", ""),
        ({}, {"kind": "tailscale"}, "unit", ""),
        ({"tunnel": "off"}, {"url": "https://a.example"}, "", ""),
        ({"tunnel": "https://b.example"}, None, "https://b.example", ""),
        ({"tunnel": "ngrok"}, None, "ngrok", "http://127.0.0.1:4040"),
        ({}, None, "", ""),
    ],
)
def test_the_host_s_own_tunnel_is_watched_without_a_setting(
    given: dict[str, Any], tunnel: dict[str, Any] | None, public: str, inspector: str
) -> None:
    roles = ("base", "monitor", *(() if tunnel is None else ("tunnel",)))
    host = Host("rig", "10.0.0.1", roles=roles, settings={} if tunnel is None else {"tunnel": tunnel})
    found = load(environment(config(**given), host)).watched
    assert (found.tunnel, found.ngrok) == (public, inspector)
    assert ("ngrok-tv.service" in found.units) is (tunnel is not None)
