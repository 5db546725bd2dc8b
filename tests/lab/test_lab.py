"""What `./inv lab.*` promise, on real hosts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ops import lab
from ops.lab import LabHost, net
from ops.lab.host import machine_id
from ops.lab.tasks import ssh_command
from ops.paths import LAB, ROOT

pytestmark = pytest.mark.lab
MakeLab = Callable[[str], LabHost]


def quiet(_: str) -> None:
    pass


def on(host: LabHost, command: str) -> str:
    done = subprocess.run(ssh_command(host, command), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stderr or done.stdout}"
    return done.stdout.strip()


def traces(name: str) -> list[str]:
    """Everything on this machine that still carries a lab host's name."""
    listings = {
        "netns": Path("/run/netns").glob(f"{name}-*"),
        "state": Path("/var/lib/trading-ops-lab").glob(f"{name}-*"),
        "groups": Path("/sys/fs/cgroup").glob(f"**/opslab-{name}-*"),
        "keys": LAB.glob(name),
        "locks": Path("/run/trading-ops-lab").glob(f"{name}-*"),
    }
    found = [f"{what}: {path}" for what, paths in listings.items() for path in paths]
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if f"/{name}-" in line]
    link = Path("/sys/class/net") / net.link(machine_id(name))
    links = [f"link: {link}"] if link.exists() else []
    return found + mounts + links + processes(f"--machine={name}-") + processes(f"opslab-{name}-")


def processes(word: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if word in line]


def test_a_host_is_a_bare_debian_12_with_its_own_name_address_and_identity(lab_host: LabHost) -> None:
    assert on(lab_host, "hostname") == lab_host.name
    assert on(lab_host, ". /etc/os-release; echo $ID $VERSION_ID") == "debian 12"
    assert on(lab_host, "systemctl is-system-running") == "running"
    assert lab_host.address in on(lab_host, "ip -4 -brief address show eth0")
    assert len(on(lab_host, "cat /etc/machine-id")) == 32
    assert on(lab_host, "id -un") == "root"


def test_its_keys_are_for_its_owner_alone(lab_host: LabHost) -> None:
    assert [path.stat().st_mode & 0o777 for path in (lab_host.key, lab_host.known_hosts)] == [0o600, 0o600]


def test_up_again_is_instant_and_gives_the_same_host(lab_host: LabHost) -> None:
    began = time.monotonic()
    assert lab.up(lab_host.name, say=quiet) == lab_host
    assert time.monotonic() - began < 0.05


def test_two_hosts_at_once_reach_each_other_and_this_machine(lab_host: LabHost, make_lab: MakeLab) -> None:
    other = make_lab("other")
    assert other.address != lab_host.address
    assert on(lab_host, "cat /etc/machine-id") != on(other, "cat /etc/machine-id")
    for here, there in ((lab_host, other), (other, lab_host)):
        assert on(here, f"exec 3<>/dev/tcp/{there.address}/22; head -c 4 <&3") == "SSH-"
    refused = "bash -c ': </dev/tcp/10.77.0.1/9' 2>&1 | grep -q refused && echo refused"
    assert on(lab_host, refused) == "refused", "this machine answers, if only to say that nothing listens there"
    assert {lab_host, other} <= set(lab.hosts())


def test_restarting_a_service_on_one_host_leaves_the_other_alone(lab_host: LabHost, make_lab: MakeLab) -> None:
    other = make_lab("other")
    before = on(other, "systemctl show -P MainPID ssh")
    on(lab_host, "systemctl restart ssh")
    assert on(other, "systemctl show -P MainPID ssh") == before
    assert on(other, "systemctl is-system-running") == "running"


def test_apt_reaches_the_mirror_from_inside(lab_host: LabHost) -> None:
    said = on(lab_host, "apt-get update 2>&1 && apt-get install --print-uris -qq git")
    assert "Err:" not in said
    assert "git_" in said


def test_a_host_that_lost_its_processes_and_network_comes_back_as_it_was(make_lab: MakeLab) -> None:
    host = make_lab("again")
    on(host, "echo kept >/root/kept")
    state = host.tree.parent
    # What a restart of the machine leaves: the files, and nothing that ran or was mounted.
    os.kill(int((state / "pid").read_text()), signal.SIGKILL)
    wait_until(lambda: lab.info(host.name) is None)
    subprocess.run(["ip", "netns", "del", state.name], check=True)
    subprocess.run(["umount", "--lazy", host.tree], check=False)
    again = lab.up(host.name, say=quiet)
    assert again == host
    assert on(again, "cat /root/kept") == "kept"


def test_a_container_whose_supervisor_was_killed_is_removed_all_the_same(make_lab: MakeLab) -> None:
    host = make_lab("orphan")
    os.kill(int((host.tree.parent / "pid").read_text()), signal.SIGKILL)
    assert lab.down(host.name, say=quiet)
    assert traces(host.name) == []


def test_up_repairs_what_a_killed_up_left(make_lab: MakeLab) -> None:
    make_lab("killed")
    name = next(host.name for host in lab.hosts() if host.name.endswith("-killed"))
    program = f"from ops import lab; lab.up({name!r}, say=lambda text: None)"
    for milliseconds in (60, 120, 200, 300, 400, 550):
        lab.down(name, say=quiet)
        child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, start_new_session=True)
        time.sleep(milliseconds / 1000)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        assert on(lab.up(name, say=quiet), "systemctl is-system-running") == "running"


def test_down_leaves_nothing_behind(make_lab: MakeLab) -> None:
    host = make_lab("gone")
    assert traces(host.name)
    assert lab.down(host.name, say=quiet)
    assert traces(host.name) == []
    assert lab.info(host.name) is None
    assert not lab.down(host.name, say=quiet)


def test_a_tree_that_cannot_boot_says_so_with_the_end_of_its_log(make_lab: MakeLab) -> None:
    from ops.errors import LabError

    host = make_lab("broken")
    os.kill(int((host.tree.parent / "pid").read_text()), signal.SIGKILL)
    wait_until(lambda: lab.info(host.name) is None)
    (host.tree / "usr/lib/systemd/systemd").rename(host.tree / "usr/lib/systemd/systemd.away")
    with pytest.raises(LabError, match=r"(?s)did not boot: its container ended.*systemd") as failed:
        lab.up(host.name, say=quiet)
    assert str(host.tree.parent / "boot.log") in str(failed.value)
    assert lab.down(host.name, say=quiet)
    assert traces(host.name) == []


def test_info_as_json_is_what_scripts_rely_on(lab_host: LabHost) -> None:
    done = inv("lab.info", "--name", lab_host.name, "--json")
    told = json.loads(done.stdout)
    assert told["name"] == lab_host.name
    assert told["ssh"] == {"address": lab_host.address, "port": 22, "user": "root", "key": str(lab_host.key)}
    assert isinstance(told["urls"], dict)


def test_ssh_runs_a_command_and_passes_its_exit_status_on(lab_host: LabHost) -> None:
    done = inv("lab.ssh", "--name", lab_host.name, "--command", "echo out; exit 7")
    assert (done.stdout, done.returncode) == ("out\n", 7)


def test_info_of_an_absent_host_says_what_to_do() -> None:
    done = inv("lab.info", "--name", "nosuch")
    assert done.returncode == 1
    assert "nosuch is not running" in done.stderr
    assert "./inv lab.up --name nosuch" in done.stderr


def inv(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "ops", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.02)
