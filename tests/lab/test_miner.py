"""A miner on a real host: cgminer is cloned, built, proved and run; rebuilt for a reason only; rolled back.

Its source is a small stand-in with the same build steps, whose program speaks the same API
(tests/fakes/cgminer_source).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from ops.lab.net import GATEWAY
from tests.fakes import cgminer_repository
from tests.lab.conftest import DeskFor
from tests.lab.kit import Desk, Done, changed, results, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

INVENTORY = """
version: 1
hosts:
  {name}:
    lab: true
    roles: [base, miner]
    settings:
      miner:
        repository: {repository}
        ref: {ref}
        cflags: {cflags}
        pools:
          - {{url: "{pool}", user: 1Address.rig, password: {{secret: pool_password, generate: true}}}}
        frequency: {{compacf: 400}}
        watts: 12.5
        options: {{standin-sticks: "10042,10043"}}
"""
POOL = "stratum+tcp://pool.example.org:3333"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    found = desk_for("miner")
    found.text = INVENTORY
    folder = tmp_path_factory.mktemp("cgminer")
    cgminer_repository.make(folder)
    with cgminer_repository.served(folder, GATEWAY) as url:
        found.describe(repository=url, ref="master", cflags="-O2", pool=POOL)
        found.first = install(found).json()
        yield found


def install(desk: Desk) -> Done:
    """`./inv miner.install --json`, which may have a compiler to install first."""
    child = desk.start("miner.install", "--host", desk.host.name, "--json")
    try:
        out, err = child.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        child.kill()
        raise
    return Done(child.returncode, out, err)


def ask(desk: Desk, task: str, *words: str, code: int = 0) -> Json:
    done = desk.inv(f"miner.{task}", "--host", desk.host.name, "--json", *words)
    assert done.code == code, done.said
    return done.json()


def up(desk: Desk) -> Json:
    """Its status once the API answers."""
    seen: list[Json] = []

    def answers() -> bool:
        seen.append(desk.inv("miner.status", "--host", desk.host.name, "--json").json())
        return bool(seen[-1]["api"] == "up")

    wait_until(answers, 60, "cgminer's API did not answer")
    return seen[-1]


def build(desk: Desk) -> str:
    return desk.on("readlink /opt/cgminer/current")


def test_it_is_built_runs_without_root_and_says_how_it_is(desk: Desk) -> None:
    assert desk.first["failed"] == 0, desk.first
    pid = desk.on("systemctl show -P MainPID cgminer.service")
    assert desk.on(f"ps -o user=,comm= -p {pid}").split() == ["cgminer", "cgminer"]
    assert desk.on("systemctl is-enabled cgminer.service") == "enabled"
    found = up(desk)
    assert (found["unit"]["active"], found["build"], found["advice"]) == ("active", build(desk), [])
    assert [(stick["serial"], stick["mhz"], stick["status"]) for stick in found["sticks"]] == [
        ("10042", 400, "ok"), ("10043", 400, "ok"),
    ]  # fmt: skip
    total = found["total"]
    assert (total["watts"], total["pool"], total["accepted"]) == (12.5, POOL, 12)
    assert total["ghs"] == pytest.approx(total["expected_ghs"]) == pytest.approx(419.328)
    assert [(pool["url"], pool["user"], pool["status"]) for pool in found["pools"]] == [(POOL, "1Address.rig", "Alive")]
    plain = desk.inv("miner.status", "--host", desk.host.name).out
    assert "419.3 of 419.3 GH/s at 12.5 W" in plain


def test_a_frequency_is_set_by_serial_number_and_within_the_chip_s_range(desk: Desk) -> None:
    up(desk)
    assert ask(desk, "freq", "10043", "350") == {
        "host": desk.host.name, "serial": "10043", "before_mhz": 400, "mhz": 350, "asked_mhz": 350,
    }  # fmt: skip
    refused = desk.inv("miner.freq", "10043", "900", "--host", desk.host.name)
    assert refused.code == 1
    assert "a CompacF (BM1397) takes 100 to 800 MHz" in refused.err
    unknown = desk.inv("miner.freq", "7", "350", "--host", desk.host.name)
    assert "no stick 7; those it has: 10042, 10043" in unknown.err
    assert ask(desk, "pools", "--switch", "0")["pools"][0]["status"] == "Alive"


def test_a_container_without_usb_has_no_stick_to_detect(desk: Desk) -> None:
    assert ask(desk, "detect", code=1) == {"host": desk.host.name, "sticks": [], "ignored": []}


def test_a_second_run_builds_nothing_and_a_deploy_of_all_agrees(desk: Desk) -> None:
    again = install(desk)
    assert again.json()["changed"] == 0, changed(again.json())
    desk.settles()


def test_another_flag_is_another_build_and_rollback_comes_back(desk: Desk) -> None:
    first = build(desk)
    desk.describe(cflags="-O1")
    done = install(desk)
    assert done.code == 0, done.problems
    assert "building master-" in done.err
    assert {"build:/opt/cgminer", "unit:cgminer.service"} <= changed(done.json())
    second = build(desk)
    assert second != first
    assert up(desk)["build"] == second
    assert desk.on("ls /var/log/trading-ops/ | grep -c ^build-cgminer-master-") == "2"
    assert ask(desk, "rollback") == {"host": desk.host.name, "before": second, "current": first}
    assert up(desk)["build"] == first
    planned = desk.plan()
    assert (planned.code, changed(planned.json())) == (2, {"build:/opt/cgminer", "unit:cgminer.service"})
    desk.describe(cflags="-O2")
    assert changed(install(desk).json()) == {
        "unit:cgminer.service"
    }  # the build is there; what runs it was started for -O1
    assert desk.on("ls /var/log/trading-ops/ | grep -c ^build-cgminer-master-") == "2"


def test_a_tree_without_the_driver_is_refused_and_the_old_build_goes_on(desk: Desk) -> None:
    desk.describe(ref="old")
    done = install(desk)
    assert (done.code, results(done.json(), "failed")) == (1, {"build:/opt/cgminer"})
    failed = next(item for item in done.json()["resources"] if item["result"] == "failed")
    assert "does not offer --gekko-compac-freq" in failed["why"]
    assert "settings of the role miner: repository (git://" in failed["hint"]
    assert "ref (old)" in failed["hint"]
    assert up(desk)["build"].startswith("master-")
    desk.describe(ref="master")
    assert install(desk).code == 0


def test_without_a_pool_it_is_started_again_and_tells_nobody_the_password(desk: Desk) -> None:
    password = desk.secret("pool_password")
    desk.describe(pool="stratum+tcp://dead.example.org:3333")
    assert install(desk).code == 0
    log = "journalctl -u cgminer.service -o cat --no-pager"
    wait_until(lambda: "Password: (not shown)" in desk.on(log), 60)
    advice = ask(desk, "status", code=1)["advice"]
    assert "no pool" in advice[0]
    assert "miner.logs" in advice[0]
    said = desk.inv("miner.logs", "--host", desk.host.name)
    assert "No servers could be used" in said.out
    assert password not in said.said + desk.on("journalctl --no-pager -o json; ps auxww; cat /proc/[0-9]*/cmdline")
    readable = "find /etc /opt /run /tmp /var -xdev -type f -perm -004 -print0 | xargs -0 grep -lF -f /dev/stdin"
    assert desk.on(readable, stdin=password, check=False) == ""
    assert desk.on("stat -c '%U:%G %a' /etc/cgminer/cgminer.conf") == "root:cgminer 640"
    desk.describe(pool=POOL)
    assert install(desk).code == 0


def test_the_unit_is_hardened_where_it_runs(desk: Desk) -> None:
    assert json.loads(desk.on("systemd-analyze security cgminer.service --threshold=30 --json=short --no-pager"))


def test_start_stop_and_what_to_do_when_it_does_not_run(desk: Desk) -> None:
    name = desk.host.name
    assert "was stopped; it stays so until" in desk.inv("miner.stop", "--host", name).out
    found = ask(desk, "status", code=1)
    assert found["advice"] == [f"cgminer does not run: ./inv miner.start --host {name}"]
    assert (found["api"], found["total"]["ghs"]) == ("down", None)
    assert desk.inv("miner.start", "--host", name).code == 0
    assert up(desk)["advice"] == []
    assert desk.inv("miner.restart", "--host", name).code == 0
    up(desk)
