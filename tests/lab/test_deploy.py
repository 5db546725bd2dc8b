"""A bare Debian 12 host after its first deploy, read by testinfra, which knows nothing of our own code."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import testinfra  # type: ignore[import-untyped]

from ops.paths import ROOT
from tests.lab.kit import Desk, changed, results

pytestmark = pytest.mark.lab

SERVICES = ("tv-webhook", "tv-outbox", "perf")
PORTS = {"tv-webhook": 8000, "perf": 8010}


@pytest.fixture(scope="module")
def host(deployed: Desk, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The deployed host as testinfra sees it, over SSH with the lab's key and no other."""
    options = {
        "HostName": deployed.host.address,
        "User": deployed.host.user,
        "IdentityFile": deployed.host.key,
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": deployed.host.known_hosts,
        "StrictHostKeyChecking": "yes",
        "ControlMaster": "auto",
        "ControlPath": deployed.control,
        "ControlPersist": 600,
        "LogLevel": "ERROR",
    }
    config = tmp_path_factory.mktemp("ssh") / "config"
    config.write_text("Host it\n" + "".join(f"  {key} {value}\n" for key, value in options.items()))
    return testinfra.get_host("ssh://it", ssh_config=str(config))


# what scripts rely on


def test_the_first_deploy_answers_as_documented(deployed: Desk) -> None:
    first = deployed.first
    assert set(first) == {"host", "release", "seconds", "resources", "changed", "failed"}
    assert first["host"] == deployed.host.name
    assert re.fullmatch(r"0\.1\.0-[0-9a-f]{12}", first["release"])
    assert 0 < first["seconds"] < 60
    assert (first["changed"], first["failed"]) == (len(changed(first)), 0)
    assert first["changed"] > 20, "it was bare"
    for item in first["resources"]:
        optional = {"why"} if item["result"] == "skipped" else {"diff"}
        assert {"role", "resource", "result", "ms"} <= set(item) <= {"role", "resource", "result", "ms", *optional}
        assert item["result"] in ("ok", "changed", "skipped")


def test_the_second_deploy_changes_nothing_in_one_ssh_session(deployed: Desk) -> None:
    before = ssh_sessions(deployed)
    second = deployed.deploy()
    assert (second["changed"], second["failed"]) == (0, 0), changed(second)
    # the time service leaves the clock of a container alone: its kernel's clock is this machine's
    assert results(second, "skipped") == {"unit:systemd-timesyncd.service"}
    assert ssh_sessions(deployed) - before == 1


def test_a_plan_of_a_host_as_it_should_be_exits_0(deployed: Desk) -> None:
    done = deployed.plan()
    assert (done.code, done.json()["changed"]) == (0, 0)


def test_only_json_is_on_stdout_and_progress_is_on_stderr(deployed: Desk) -> None:
    deployed.on("chmod 0600 /etc/timezone")
    done = deployed.inv("deploy", "--host", deployed.host.name, "--json")
    assert (done.code, changed(json.loads(done.out))) == (0, {"file:/etc/timezone"})
    assert "changed base file:/etc/timezone" in done.err


def test_a_person_sees_a_table_the_urls_and_what_to_try_next(deployed: Desk) -> None:
    deployed.on("chmod 0600 /etc/timezone")
    done = deployed.inv("deploy", "--host", deployed.host.name, "--diff")
    assert done.code == 0
    urls = (f"http://{deployed.host.address}:{port}" for port in PORTS.values())
    for words in ("file:/etc/timezone", "mode: 0600 -> 0644", "as planned", *urls, "next: ./inv alert.test"):
        assert words in done.out


def test_lab_info_gives_urls_that_answer_from_here(deployed: Desk) -> None:
    done = wrapped(deployed, "lab.info", "--name", deployed.host.name, "--json")
    told = json.loads(done)
    assert set(told) == {"name", "ssh", "urls"}
    assert told["ssh"] == {"address": deployed.host.address, "port": 22, "user": "root", "key": str(deployed.host.key)}
    assert {"webhook", "perf"} <= set(told["urls"])
    for service in ("webhook", "perf"):
        assert httpx.get(told["urls"][service] + "/ready").status_code == 200


@pytest.mark.parametrize("name", ["webhook_key", "ops_key", "perf_token"])
def test_secrets_show_prints_the_value_that_the_host_has_and_nothing_else(deployed: Desk, name: str) -> None:
    value = wrapped(deployed, "secrets.show", name, "--host", deployed.host.name)
    assert re.fullmatch(r"[\w-]{40,}\n", value)
    assert value.strip() in deployed.on("cat /opt/trading/.env /opt/trading/.env.d/perf.env")


def test_status_tells_how_the_host_is_doing(deployed: Desk) -> None:
    done = deployed.inv("status", "--host", deployed.host.name, "--json")
    assert done.code == 0
    assert {unit["name"]: unit["state"] for unit in done.json()["units"]}["tv-webhook.service"] == "active"
    assert done.json()["release"] == deployed.on("basename $(readlink /opt/trading/venv)")


def test_logs_shows_the_services_own_lines(deployed: Desk) -> None:
    done = deployed.inv("logs", "--host", deployed.host.name, "--unit", "tv-webhook", "--lines", "50")
    assert done.code == 0
    assert "ready on" in done.out


def test_every_run_is_in_the_hosts_audit_log(deployed: Desk) -> None:
    lines = [json.loads(line) for line in deployed.on("cat /var/log/trading-ops/audit.jsonl").splitlines()]
    begun = {line["run"]: line for line in lines if "begin" in line}
    ended = {line["run"]: line for line in lines if "end" in line}
    assert begun.keys() == ended.keys()
    last = lines[-1]
    assert (last["end"], begun[last["run"]]["begin"]) == ("done", "deploy")
    assert "@" in begun[last["run"]]["who"]


# what the host is


def test_the_services_user_can_do_nothing_else(host: Any) -> None:
    user = host.user("trading")
    assert (user.group, user.home, user.shell) == ("trading", "/opt/trading", "/usr/sbin/nologin")
    assert user.uid < 1000
    assert user.groups == ["trading"]


@pytest.mark.parametrize(
    ("path", "owner", "mode"),
    [
        ("/opt/trading", "root", 0o755),
        ("/opt/trading/state", "trading", 0o750),
        ("/opt/trading/logs", "trading", 0o750),
        ("/opt/trading/.env.d", "root", 0o700),
        ("/opt/trading/.env.d/perf.env", "root", 0o600),
        ("/opt/trading/.env", "root", 0o600),
        ("/opt/trading/journal.md", "trading", 0o640),
        ("/etc/systemd/system/tv-webhook.service", "root", 0o644),
        ("/etc/systemd/system/tv-webhook.socket", "root", 0o644),
        ("/etc/systemd/system/tv-outbox.service", "root", 0o644),
        ("/etc/systemd/system/perf.service", "root", 0o644),
        ("/etc/systemd/system/perf.socket", "root", 0o644),
        ("/etc/systemd/journald.conf.d/50-trading-ops.conf", "root", 0o644),
        ("/etc/apt/apt.conf.d/52trading-ops", "root", 0o644),
        ("/var/lib/trading-ops", "root", 0o700),
        ("/var/log/trading-ops", "root", 0o750),
    ],
)
def test_owners_and_modes(host: Any, path: str, owner: str, mode: int) -> None:
    found = host.file(path)
    assert (found.user, found.group, oct(found.mode)) == (owner, owner, oct(mode))


@pytest.mark.parametrize(
    "unit", ["tv-webhook.socket", "tv-webhook.service", "tv-outbox.service", "perf.socket", "perf.service"]
)
def test_units_run_now_and_at_the_next_boot(host: Any, unit: str) -> None:
    service = host.service(unit)
    assert (service.is_running, service.is_enabled, service.is_valid) == (True, True, True)


@pytest.mark.parametrize("unit", SERVICES)
def test_systemd_itself_rates_the_exposure_2_or_less(host: Any, unit: str) -> None:
    said = host.check_output("systemd-analyze security --no-pager %s.service", unit)
    rated = re.search(r"Overall exposure level for .*: (\d+\.\d)", said)
    assert rated
    assert float(rated[1]) <= 2.0


@pytest.mark.parametrize("unit", SERVICES)
def test_services_run_as_trading_from_the_current_release_with_a_watchdog(host: Any, unit: str) -> None:
    shown = dict(
        line.split("=", 1)
        for line in host.check_output("systemctl show -p MainPID,Type,WatchdogUSec,NRestarts %s", unit).splitlines()
    )
    assert (shown["Type"], shown["WatchdogUSec"], shown["NRestarts"]) == ("notify", "30s", "0")
    process = host.process.get(pid=shown["MainPID"])
    assert (process.user, process.group) == ("trading", "trading")
    assert process.args.startswith("/opt/trading/venv/bin/python -m runtime.")
    release = host.file("/opt/trading/venv").linked_to
    maps = host.check_output("cat /proc/%s/maps", shown["MainPID"])
    assert f"{release}/lib/python3.11/site-packages/" in maps


@pytest.mark.parametrize("unit", PORTS)
def test_systemd_holds_the_sockets(host: Any, unit: str) -> None:
    port = PORTS[unit]
    assert host.socket(f"tcp://0.0.0.0:{port}").is_listening
    assert '"systemd",pid=1,' in host.check_output("ss -Hltnp 'sport = :%s'", str(port))


def test_the_venv_is_a_link_to_a_built_release(host: Any, deployed: Desk) -> None:
    link = host.file("/opt/trading/venv")
    assert link.is_symlink
    release = host.file(link.linked_to)
    assert release.is_directory
    assert Path(link.linked_to).parent == Path("/opt/trading/releases")
    assert link.linked_to.endswith(deployed.first["release"])
    assert host.file(f"{link.linked_to}/bin/python").linked_to == "/usr/bin/python3.11"
    assert host.run("/opt/trading/venv/bin/python -c 'import pip'").failed, "no installer is left behind"


def test_no_package_index_was_asked(host: Any) -> None:
    """Neither pip nor uv is on the host, nor what they would have left there."""
    for program in ("pip", "pip3", "uv"):
        assert not host.exists(program)
    for path in ("/root/.cache", "/root/.config", "/root/.local", "/opt/trading/.cache"):
        assert not host.file(path).exists
    assert host.check_output("find /opt/trading/releases -name '*.wheels' -o -name requirements.txt") == ""
    direct = host.check_output("find /opt/trading/venv/ -name direct_url.json -exec cat {} +")
    assert "http" not in direct


def test_only_what_the_lock_names_is_installed(host: Any) -> None:
    found = host.check_output("ls -d /opt/trading/venv/lib/python3.11/site-packages/*.dist-info")
    names = {Path(line).name.removesuffix(".dist-info").rpartition("-")[0] for line in found.splitlines()}
    locked = set()
    for lock in ("webhook", "perf"):
        text = (ROOT / f"locks/{lock}.txt").read_text()
        locked |= {name.replace("-", "_").lower() for name in re.findall(r"^([\w.-]+)==", text, re.M)}
    assert {name.replace("-", "_").lower() for name in names} <= locked | {"trading_ops"}


def test_time_zone_and_time_sync(host: Any) -> None:
    assert host.check_output("readlink /etc/localtime") == "/usr/share/zoneinfo/America/Montreal"
    assert host.file("/etc/timezone").content_string == "America/Montreal\n"
    assert host.service("systemd-timesyncd").is_enabled
    assert host.check_output("date +%Z") in ("EST", "EDT")


def test_the_journal_is_kept_and_bounded(host: Any) -> None:
    shown = host.check_output("systemd-analyze cat-config systemd/journald.conf")
    for line in ("Storage=persistent", "SystemMaxUse=500M", "MaxRetentionSec=3month"):
        assert re.search(f"^{line}$", shown, re.M)
    assert host.file("/var/log/journal").is_directory


def test_security_updates_come_by_themselves_and_never_restart_the_machine(host: Any) -> None:
    assert host.package("unattended-upgrades").is_installed
    said = host.check_output("apt-config dump")
    assert 'APT::Periodic::Unattended-Upgrade "1";' in said
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in said
    assert {"apt-daily.timer", "apt-daily-upgrade.timer"} <= set(
        re.findall(r"\S+\.timer", host.check_output("systemctl list-timers --all --no-legend"))
    )


def test_nothing_on_the_host_failed_and_nothing_of_the_agent_is_left(host: Any) -> None:
    assert host.check_output("systemctl --failed --no-legend") == ""
    assert host.check_output("find / -xdev -name '*.ops-new' -not -path '/proc/*'") == ""
    assert host.check_output("ls /run/trading-ops") == "lock"
    assert "agent.main" not in host.check_output("ps -eo args")
    assert host.check_output("ls -A /var/lib/trading-ops/undo") == ""


def wrapped(desk: Desk, *arguments: str) -> str:
    """The same through the `./inv` wrapper itself, as a script would call it."""
    environment = {**desk.environment, "OPS_VENV": "test", "PYTHONPATH": ""}
    done = subprocess.run(
        [ROOT / "inv", *arguments], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ssh_sessions(desk: Desk) -> int:
    """How often someone logged in over SSH since the host booted."""
    return int(desk.on("journalctl --sync; journalctl -u ssh --no-pager -o cat | grep -c 'Accepted publickey'"))
