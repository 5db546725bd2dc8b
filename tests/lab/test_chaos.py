"""Runs that die at any moment, on either side: the next one always finishes, and nothing is ever half-done.

The moments are random but seeded: the seed is in the test's name and in what a failure prints.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.lab.conftest import DeskFor
from tests.lab.kit import USUAL, Desk, Done, changed, wait_until

pytestmark = pytest.mark.lab
SEED = int(os.environ.get("CHAOS_SEED", "20260216"))
UNITS = ("tv-webhook.socket", "tv-webhook.service", "tv-outbox.service", "perf.socket", "perf.service")
MANAGED = (
    "/opt/trading/.env",
    "/opt/trading/.env.d/perf.env",
    "/etc/systemd/journald.conf.d/50-trading-ops.conf",
    "/etc/timezone",
    "/etc/systemd/system/tv-webhook.service",
    "/etc/systemd/system/tv-outbox.service",
    "/etc/systemd/system/perf.service",
)


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor) -> Desk:
    """A host for this module alone: what is left on it after a kill is nobody else's business."""
    desk = desk_for("chaos")
    desk.settles()
    return desk


# What a deploy can be in the middle of. Each makes a plan that differs from the host as it is.


def settings(desk: Desk, dice: random.Random) -> None:
    """Files, an env file and the units that follow them."""
    zone = dice.choice(["America/Montreal", "Europe/Paris", "Etc/UTC", "Asia/Tokyo"])
    number = str(dice.randrange(100, 900))
    desk.describe(timezone=zone, journal_max=f"{number}M", equity0=number)


def release(desk: Desk, dice: random.Random) -> None:
    """Another release: built, switched to, and both services restarted."""
    module = desk.root / "runtime/__init__.py"
    module.write_text(f'"""What runs on hosts, {dice.random()}."""\n')


def wiped(desk: Desk, dice: random.Random) -> None:
    """Almost a first deploy: no release, no uploaded wheels, no memory of earlier runs."""
    desk.on(
        f"systemctl disable --now {' '.join(UNITS)} 2>&1; rm -rf /opt/trading /var/lib/trading-ops"
        " /etc/systemd/system/{tv-webhook,tv-outbox,perf}.*; systemctl daemon-reload"
    )


def packages(desk: Desk, dice: random.Random) -> None:
    """apt and dpkg at work."""
    desk.on("dpkg --purge --force-depends unattended-upgrades >/dev/null 2>&1")
    settings(desk, dice)


# Thirty times in all.
PHASES: tuple[tuple[Callable[[Desk, random.Random], None], int], ...] = (
    (settings, 18),
    (release, 6),
    (wiped, 4),
    (packages, 2),
)


@pytest.mark.parametrize(("disturb", "times"), PHASES, ids=[disturb.__name__ for disturb, _ in PHASES])
def test_killing_the_controller_at_any_moment(desk: Desk, disturb: Any, times: int) -> None:
    dice = random.Random(f"{SEED} {disturb.__name__}")
    for number in range(times):
        before = contents(desk)
        disturb(desk, dice)
        latest = 0.9 * usual_seconds(disturb)
        moment, whole_group = dice.uniform(0.05, latest), bool(dice.getrandbits(1))
        note = f"seed {SEED}, {disturb.__name__} {number}: killed after {moment:.3f} s"
        kill_controller(desk, moment, whole_group)
        seen = contents(desk)
        finished = deploy(desk)
        assert finished.code == 0, f"{note}: {finished.problems}"
        after = contents(desk)
        for path, text in seen.items():
            assert text in (before[path], after[path], "absent"), f"{note}: {path} is half-written: {text!r}"
        consistent(desk, note)
    again = desk.deploy()
    assert changed(again) == set(), f"seed {SEED}"


def usual_seconds(disturb: Any) -> float:
    return {"settings": 2.0, "release": 4.0, "wiped": 6.0, "packages": 6.0}[disturb.__name__]


def deploy(desk: Desk) -> Done:
    return desk.inv("deploy", "--host", desk.host.name, "--json")


def kill_controller(desk: Desk, moment: float, whole_group: bool) -> None:
    child = desk.start("deploy", "--host", desk.host.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(moment)  # a moment, not a condition: that it falls anywhere is the point
    if whole_group:
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.wait()


def contents(desk: Desk) -> dict[str, str]:
    """Each managed file's hash, or "absent"."""
    listed = desk.on("for f in " + " ".join(MANAGED) + "; do sha256sum $f 2>/dev/null || echo absent $f; done")
    return {path: word for word, path in (line.split() for line in listed.splitlines())}


def consistent(desk: Desk, note: str) -> None:
    """What must hold after any deploy that ended well, whatever died before it."""
    script = (
        "find /etc /opt/trading /var/lib/trading-ops -name '*.ops-new' -o -name '.*.wheels';"
        f"systemctl is-active {' '.join(UNITS)} | grep -v '^active$';"
        f"systemctl show -P NeedDaemonReload {' '.join(UNITS)} | grep yes;"
        "dpkg --audit; ls -A /var/lib/trading-ops/undo;"
        "test -e $(readlink /opt/trading/venv)/release.json || echo venv; true"
    )
    assert desk.on(script) == "", note
    for port in (8000, 8010):
        assert httpx.get(f"http://{desk.host.address}:{port}/ready").status_code == 200, note
    zone = desk.variables.get("timezone", USUAL["timezone"])
    assert desk.on("cat /etc/timezone") == zone, note
    pid = "$(systemctl show -P MainPID tv-webhook.service)"
    assert f"JOURNAL_TZ={zone}" in desk.on(f"tr '\\0' '\\n' </proc/{pid}/environ"), (
        f"{note}: an owed restart is missing"
    )
    assert desk.on("readlink /opt/trading/venv") in desk.on(f"cat /proc/{pid}/maps"), f"{note}: it runs an old release"


@pytest.mark.parametrize(
    ("disturb", "times"), [(settings, 4), (release, 3), (wiped, 2)], ids=["settings", "release", "wiped"]
)
def test_killing_the_agent_at_any_moment(desk: Desk, disturb: Any, times: int) -> None:
    dice = random.Random(f"{SEED} agent {disturb.__name__}")
    for number in range(times):
        disturb(desk, dice)
        moment = dice.uniform(0.0, 0.6 * usual_seconds(disturb))
        note = f"seed {SEED}, {disturb.__name__} {number}: agent killed after {moment:.3f} s"
        child = desk.start("deploy", "--host", desk.host.name, "--json")
        victim = agent(desk, child)
        time.sleep(moment)
        desk.on(f"kill -9 {victim} 2>/dev/null; true")
        out = child.communicate(timeout=60)[0]
        if child.returncode:
            assert child.returncode == 1, note
            told = json.loads(out)
            assert "the agent ended without a result" in told["error"], note
            assert "run it again" in told["error"], note
        finished = deploy(desk)
        assert finished.code == 0, f"{note}: {finished.problems}"
        consistent(desk, note)
    assert changed(desk.deploy()) == set()


def agent(desk: Desk, child: subprocess.Popen[str]) -> str:
    """The agent's process on the host, once it is there; "" when the run was over before."""
    found = ""
    while not found and child.poll() is None:
        found = desk.on("pgrep -f 'memfd_create.*agent[.]main' | tail -1; true")
    return found or "999999"


def test_ctrl_c_ends_after_the_step_at_hand_and_says_what_was_done(desk: Desk) -> None:
    dice = random.Random(f"{SEED} ctrl-c")
    for disturb in (release, settings, wiped):
        disturb(desk, dice)
        child = desk.start("deploy", "--host", desk.host.name)
        victim = agent(desk, child)
        time.sleep(0.1)
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert "Traceback" not in out + err
        assert child.returncode == 130, out + err
        assert "stopping after the step at hand" in err
        assert "interrupted (stopped by the person who ran it)" in out
        assert re.search(r"\d+ changed, the rest", out)
        assert f"next: ./inv deploy --host {desk.host.name}" in out
        assert desk.on(f"ls -d /proc/{victim} 2>/dev/null; true") == "", "the agent is still there"
        assert deploy(desk).code == 0
        consistent(desk, "after Ctrl-C")


def test_of_two_deploys_at_once_the_second_waits_for_the_first(desk: Desk) -> None:
    release(desk, random.Random(f"{SEED} two"))
    settings(desk, random.Random(f"{SEED} two"))
    runs = [desk.start("deploy", "--host", desk.host.name, "--json") for _ in range(2)]
    ended = [run.communicate(timeout=100) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], ended
    told = [json.loads(out) for out, _ in ended]
    assert sorted(bool(one["changed"]) for one in told) == [False, True], "the second found everything done"
    assert any("waiting for" in err and "(deploy, pid" in err for _, err in ended)
    consistent(desk, "after two at once")


def test_a_lock_that_stays_names_its_holder(desk: Desk) -> None:
    """The holder's record is made by hand; the 30 s of patience are shortened in this copy of the sources."""
    plan = desk.root / "ops/plan.py"
    text = plan.read_text()
    plan.write_text(text.replace('"lock_wait": 30', '"lock_wait": 1'))
    record = '{"who": "ann@desk", "why": "deploy", "since": "2026-02-16T10:00:00Z", "pid": 7}'
    holder = desk.on(
        f"printf '%s' '{record}' >/run/trading-ops/lock;"
        "flock /run/trading-ops/lock sleep 60 </dev/null >/dev/null 2>&1 & echo $!"
    )
    try:
        wait_until(lambda: desk.on("flock -n /run/trading-ops/lock true && echo free; true") != "free")
        done = desk.inv("deploy", "--host", desk.host.name)
        assert done.code == 1
        assert "the host is locked by ann@desk since 2026-02-16T10:00:00Z (deploy, pid 7)" in done.said
        assert desk.plan().code == 0, "looking needs no lock"
    finally:
        plan.write_text(text)
        desk.on(f"pkill -9 -P {holder}; kill -9 {holder}; true")
    assert deploy(desk).code == 0, "a holder that died holds nothing"


def test_no_run_that_died_left_a_process_behind(desk: Desk) -> None:
    def left() -> str:
        return desk.on("pgrep -fa 'memfd_create|dpkg|apt-get' | grep -v pgrep; true")

    wait_until(lambda: not left(), 40, "an agent or a package manager is still there")
