"""A host's processes: starting systemd-nspawn (or QEMU, see ops.lab.vm) so that it outlives us, watching, ending it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from ops.errors import LabError
from ops.lab import cgroup
from ops.lab.host import started_at
from ops.lab.shell import succeeds, tail

BOOT_SECONDS = 90
NSPAWN = [
    "systemd-nspawn",
    "--quiet",
    "--boot",
    "--register=no",
    "--keep-unit",
    "--console=read-only",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    "--capability=CAP_NET_ADMIN",
    "--system-call-filter=@keyring bpf",  # what Docker starts a container with: a session key, and a filter of devices
]
# $0 is the pid file; the words before `--` are control groups to start in; the rest is the command.
START = 'while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs"; shift; done; shift; echo $$ >"$0"; exec "$@"'


def start(machine: str, tree: Path, hostname: str) -> None:
    """Boots the tree in the background; `wait` tells how that went."""
    nspawn = [*NSPAWN, f"--directory={tree}", f"--machine={machine}", f"--hostname={hostname}"]
    launch(machine, tree.parent, [*nspawn, f"--network-namespace-path=/run/netns/{machine}"], grouped=True)


def launch(machine: str, state: Path, supervisor: list[str], *, grouped: bool) -> None:
    """Starts what the host runs in, with its number in `pid` and its output in boot.log, so that it outlives us.

    `grouped`: in a control group of its own, for a systemd that would take ours for its own.
    """
    groups = cgroup.make(f"opslab-{machine}") if grouped and not _systemd_runs_this_machine() else []
    command = ["sh", "-c", START, state / "pid", *groups, "--", *supervisor]
    (state / "pid").unlink(missing_ok=True)
    with (state / "boot.log").open("w") as log:
        launcher = _launcher(machine, state, [str(word) for word in command])
        subprocess.run(launcher, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)


def _launcher(machine: str, state: Path, command: list[str]) -> list[str]:
    """The command as something that is not our child: a unit where systemd runs this machine, else a new session."""
    if not _systemd_runs_this_machine():
        return ["setsid", "--fork", *command]
    properties = {
        "Delegate": "yes",
        "KillMode": "mixed",
        "TimeoutStopSec": "5",
        "StandardOutput": f"append:{state / 'boot.log'}",
        "StandardError": "inherit",
    }
    unit = ["systemd-run", "--quiet", "--collect", f"--unit=opslab-{machine}", f"--description=Lab host {machine}"]
    # A dollar sign in a unit's command line is systemd's own until it is doubled.
    doubled = [word.replace("$", "$$") for word in command]
    return [*unit, *(f"--property={key}={value}" for key, value in properties.items()), "--", *doubled]


def running(machine: str, state: Path) -> int | None:
    """What the host runs in (systemd-nspawn or QEMU), or None."""
    try:
        pid = int((state / "pid").read_text())
        started_at(pid)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if {f"--machine={machine}".encode(), f"opslab-{machine}".encode()} & set(words) else None


def wait(machine: str, state: Path, address: str) -> str:
    """Blocks until sshd answers and systemd has finished booting; returns systemd's own word (running, degraded)."""
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline:
        begun = (state / "pid").exists()  # the child writes it, a moment after start() returned
        supervisor = running(machine, state)
        if begun and supervisor is None:
            raise not_booted(machine, state, "its container ended")
        leader = _leader(supervisor) if supervisor else None
        if leader and ssh_answers(address):
            return _finished(leader)
        time.sleep(0.05)
    raise not_booted(machine, state, f"sshd on {address} did not answer within {BOOT_SECONDS} s")


def _leader(supervisor: int) -> int | None:
    """The container's PID 1, once it is systemd."""
    with suppress(OSError):
        for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return int(child)
    return None


def ssh_answers(address: str) -> bool:
    """Whether an SSH server says so on port 22."""
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _finished(leader: int) -> str:
    """systemd's state after booting; it exits non-zero for every state but `running`, which is not our concern here."""
    inside = ["nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
    done = subprocess.run(
        [*inside, "timeout", str(BOOT_SECONDS), "systemctl", "is-system-running", "--wait"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip()


def not_booted(machine: str, state: Path, why: str) -> LabError:
    """With the end of the boot's log."""
    log = state / "boot.log"
    text = log.read_text(errors="replace") if log.exists() else ""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", text)
    said = tail(plain) or "    (it printed nothing)"
    return LabError(
        f"lab host {machine} did not boot: {why}. The end of its boot log:\n{said}", hint=f"all of it: {log}"
    )


def stop(machine: str, state: Path) -> None:
    """Ends the container at once: what it holds is thrown away, so there is nothing to shut down in order."""
    supervisor = running(machine, state)
    leader = _leader(supervisor) if supervisor else None
    if leader:
        os.kill(leader, signal.SIGKILL)
    if _systemd_runs_this_machine():
        succeeds(["systemctl", "stop", f"opslab-{machine}.service"])
    # Without a systemd of its own below it, it is QEMU, or a container that has not begun.
    if supervisor and not _gone_within(5 if leader else 0, supervisor):
        with suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGKILL)
        _gone_within(5, supervisor)
    # A container outlives its supervisor if that one alone is killed; the control group still knows its processes.
    cgroup.empty(f"opslab-{machine}")


def _gone_within(seconds: float, pid: int) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            started_at(pid)
        except OSError:
            return True
        time.sleep(0.02)
    return False


def _systemd_runs_this_machine() -> bool:
    return Path("/run/systemd/system").is_dir()
