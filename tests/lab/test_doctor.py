"""doctor on a real host: nothing to say of one that is well, and each of several troubles at once with its command."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.lab.kit import Desk, wait_until
from tests.lab.test_outbox import BURY, GOLD, pending

pytestmark = pytest.mark.lab

BREAK = (
    "chmod 0600 /etc/timezone; systemctl stop perf.socket perf.service; systemctl disable -q perf.socket;"
    "systemd-run -q --unit=squatter python3 -m http.server 8010; systemd-run -q --unit=broken false;"
    "touch /var/lib/dpkg/updates/0001; until ss -Hltn 'sport = :8010' | grep -q .; do sleep 0.05; done;"
    "until systemctl -q is-failed broken; do sleep 0.05; done"
)
MEND = "rm -f /var/lib/dpkg/updates/0001; systemctl stop squatter; systemctl reset-failed; true"


def doctor(desk: Desk) -> tuple[int, dict[str, Any]]:
    done = desk.inv("doctor", "--host", desk.host.name, "--json")
    return done.code, json.loads(done.out)


def of_host(desk: Desk, said: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What is wrong with the host, by name; the last of those that share one."""
    found = [one for one in said["findings"] if one["where"] == desk.host.name and one["level"] == "problem"]
    return {one["name"]: one for one in found}


def bury(desk: Desk) -> None:
    """An alert whose delivery to the ledger was refused for good."""
    body = {**GOLD, "key": desk.secret("webhook_key"), "id": secrets.token_hex(8)}
    answer = httpx.post(f"{desk.url('webhook')}/tv", json=body)
    assert answer.status_code == 200, answer.text
    wait_until(lambda: pending(desk) == 0)
    desk.on(f"runuser -u trading -- python3 - {answer.json()['id']}", stdin=BURY)


@pytest.fixture
def broken(desk: Desk) -> Iterator[Desk]:
    bury(desk)
    desk.on(BREAK)
    yield desk
    desk.on(MEND)
    desk.inv("outbox.retry", "--host", desk.host.name, "--sink", "perf", "--all")
    desk.deploy()


def test_a_host_that_is_well(desk: Desk) -> None:
    code, said = doctor(desk)
    assert of_host(desk, said) == {}
    assert (code, said["ok"], said["hosts"]) == (0, True, [desk.host.name])
    assert {"machine", "packages", "deploy", "services", "deliveries"} <= {
        one["group"] for one in said["findings"] if one["where"] == desk.host.name
    }
    assert desk.inv("doctor", "--host", desk.host.name, "--verbose").out.count("  ok ") == said["well"]


def test_each_of_several_troubles_is_named_with_what_mends_it(broken: Desk) -> None:
    name = broken.host.name
    code, said = doctor(broken)
    found = of_host(broken, said)
    assert code == 1
    wanted = {
        "drift": ("/etc/timezone: mode 0600 instead of 0644", f"./inv plan --host {name}"),
        "unit.down": ("perf.s", "./inv logs"),
        "unit.disabled": ("perf.socket is disabled", f"./inv deploy --host {name}"),
        "unit.failed": ("broken.service failed (exit-code)", "journalctl -u broken.service"),
        "port.taken": ("port 8010 of perf.service is taken by python3", "systemctl stop squatter.service"),
        "dpkg.interrupted": ("dpkg was interrupted", "dpkg --configure -a"),
        "dead_letters": ("perf refused 1", f"./inv outbox.retry --sink perf --all --host {name}"),
    }
    for what, (says, mend) in wanted.items():
        assert what in found, f"{what} is not among {sorted(found)}"
        assert says in found[what]["says"] and mend in found[what]["mend"], found[what]
    people = broken.inv("doctor", "--host", name)
    assert people.code == 1
    assert "port 8010 of perf.service is taken by python3" in people.out and "-> " in people.out
    assert broken.secret("ops_key") not in people.out


def test_after_what_it_says_all_is_well(desk: Desk) -> None:
    code, said = doctor(desk)
    assert (of_host(desk, said), code) == ({}, 0)
