"""What somebody changed on a host by hand: `plan` names it, `deploy` mends it, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any, NamedTuple

import httpx
import pytest

from tests.lab.kit import Desk, changed, results

pytestmark = pytest.mark.lab
UNIT = "/etc/systemd/system/tv-webhook.service"
SERVICE, SOCKET = "unit:tv-webhook.service", "unit:tv-webhook.socket"
BOTH = {SERVICE, "unit:tv-outbox.service"}
"""What reads the webhook's environment."""


class Case(NamedTuple):
    """What is done to the host, and which resources must be named for it; `follows`: units that must follow."""

    by_hand: str
    named: Set[str]
    follows: Set[str] = frozenset()
    words: str = ""


CASES = {
    "an edited file": Case(
        "echo '# mine' >>/etc/systemd/journald.conf.d/50-trading-ops.conf",
        {"file:/etc/systemd/journald.conf.d/50-trading-ops.conf"},
        {"unit:systemd-journald.service"},
        "-# mine",
    ),
    "an edited unit file": Case(
        f"sed -i s/WatchdogSec=30/WatchdogSec=300/ {UNIT}",
        {"unit-file:tv-webhook.service"},
        {SERVICE},
        "+WatchdogSec=30",
    ),
    "an edited unit file that systemd has read": Case(
        f"sed -i s/WatchdogSec=30/WatchdogSec=300/ {UNIT}; systemctl daemon-reload; systemctl restart tv-webhook",
        {"unit-file:tv-webhook.service"},
        {SERVICE},
    ),
    "a stopped service": Case("systemctl stop tv-webhook.service", {SERVICE}, words="running: inactive (dead)"),
    "a stopped socket and its service": Case("systemctl stop tv-webhook.socket tv-webhook.service", {SOCKET, SERVICE}),
    "a disabled service": Case("systemctl disable tv-webhook.service", {SERVICE}, words="enabled: no -> yes"),
    "a mode": Case("chmod 0644 /opt/trading/.env", {"file:/opt/trading/.env"}, BOTH, "mode: 0644 -> 0600"),
    "a directory's mode": Case("chmod 0777 /opt/trading/state", {"directory:/opt/trading/state"}),
    "an owner": Case(
        "chown root: /opt/trading/journal.md", {"file:/opt/trading/journal.md"}, words="owner: root -> trading"
    ),
    "a unit file that is gone": Case(f"rm {UNIT}", {"unit-file:tv-webhook.service"}, {SERVICE}),
    "a unit file replaced by a directory": Case(
        f"rm {UNIT}; mkdir {UNIT}; systemctl daemon-reload", {"unit-file:tv-webhook.service"}, {SERVICE}
    ),
    "the venv pointing elsewhere": Case(
        "ln -sfn /usr /opt/trading/venv", {"release:/opt/trading"}, BOTH | {"unit:perf.service"}
    ),
    "an edited env file": Case("echo X=1 >>/opt/trading/.env", {"file:/opt/trading/.env"}, BOTH, "sha256:"),
    "another time zone": Case("ln -sf /usr/share/zoneinfo/UTC /etc/localtime", {"symlink:/etc/localtime"}),
    "a package that was removed": Case(
        "apt-get -qq remove -y unattended-upgrades >/dev/null",
        {"apt-packages:ca-certificates tzdata unattended-upgrades systemd-timesyncd"},
    ),
    "a user's shell": Case("usermod -s /bin/bash trading", {"user:trading"}, words="shell: /bin/bash"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_plan_names_it_and_deploy_mends_exactly_that(deployed: Desk, case: Case) -> None:
    deployed.on(case.by_hand)
    planned = deployed.plan()
    found = planned.json()
    assert planned.code == 2
    assert results(found, "drift") >= case.named
    assert changed(found) - case.follows == case.named
    assert case.words in "\n".join(item.get("diff", "") for item in found["resources"])
    mended = deployed.deploy()
    assert changed(mended) - case.follows == case.named
    healthy(deployed)


def test_nothing_is_left_to_mend(deployed: Desk) -> None:
    assert changed(deployed.deploy()) == set()


def test_several_at_once_are_all_named_and_all_mended(deployed: Desk) -> None:
    deployed.on("chmod 0600 /etc/timezone; systemctl stop perf.service; echo >>/etc/apt/apt.conf.d/52trading-ops")
    named = {"file:/etc/timezone", "unit:perf.service", "file:/etc/apt/apt.conf.d/52trading-ops"}
    planned = deployed.plan()
    assert (planned.code, results(planned.json(), "drift")) == (2, named)
    assert changed(deployed.deploy()) == named
    healthy(deployed)


def test_plan_changes_nothing(deployed: Desk) -> None:
    deployed.on("chmod 0600 /etc/timezone; systemctl stop perf.service")
    before = snapshot(deployed)
    assert deployed.plan().code == 2
    assert deployed.inv("deploy", "--host", deployed.host.name, "--plan").code == 2
    assert snapshot(deployed) == before
    deployed.settles()


def test_a_change_of_ours_is_a_change_and_no_drift(deployed: Desk) -> None:
    deployed.describe(journal_max="400M")
    planned = deployed.plan().json()
    assert results(planned, "drift") == set()
    assert results(planned, "change") == {
        "file:/etc/systemd/journald.conf.d/50-trading-ops.conf",
        "unit:systemd-journald.service",
    }
    deployed.usual()
    assert deployed.plan().code == 0


def test_a_secret_file_s_diff_shows_hashes_only(deployed: Desk) -> None:
    deployed.on("sed -i s/TV_WEBHOOK_KEY=.*/TV_WEBHOOK_KEY=by-hand-and-secret/ /opt/trading/.env")
    said = deployed.plan().said + deployed.inv("plan", "--host", deployed.host.name).said
    assert "by-hand-and-secret" not in said
    assert deployed.secret("webhook_key") not in said
    assert "content: sha256:" in said
    deployed.settles()


def test_one_role_alone_can_be_mended(deployed: Desk) -> None:
    deployed.on("chmod 0600 /etc/timezone; systemctl stop perf.service")
    assert changed(deployed.deploy("--role", "perf")) == {"unit:perf.service"}
    assert changed(deployed.deploy()) == {"file:/etc/timezone"}


def healthy(desk: Desk) -> None:
    """The services answer, and run the files that are on the disk."""
    for port in (8000, 8010):
        assert httpx.get(f"http://{desk.host.address}:{port}/ready").status_code == 200
    for service in ("tv-webhook", "tv-outbox", "perf"):
        shown = desk.on(f"systemctl show -p NeedDaemonReload,WatchdogUSec,UnitFileState,ActiveState {service}.service")
        assert set(shown.splitlines()) == {
            "NeedDaemonReload=no", "WatchdogUSec=30s", "UnitFileState=enabled", "ActiveState=active"
        }  # fmt: skip
        code = desk.on(f"cat /proc/$(systemctl show -P MainPID {service}.service)/maps")
        assert desk.on("readlink /opt/trading/venv") in code


def snapshot(desk: Desk) -> Any:
    """Everything a plan must leave alone."""
    places = "/etc /opt/trading /var/lib/trading-ops /var/log/trading-ops"
    listing = desk.on(f"find {places} -printf '%p %m %u %g %s %T@ %l\\n' | grep -v '/opt/trading/state' | sort")
    units = desk.on(
        "systemctl show -p ActiveState,ActiveEnterTimestamp,UnitFileState 'tv-webhook.*' 'tv-outbox.*' 'perf.*'"
    )
    return json.dumps([listing, units])
