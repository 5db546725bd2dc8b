"""The host as the agent sees it: programs to run, and what they said when they fail."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
from pathlib import Path

STATE = Path("/var/lib/trading-ops")
"""What the agent must remember between runs: restart debt, undo log, uploaded wheels. Root only."""
LOGS = Path("/var/log/trading-ops")
RUN = Path("/run/trading-ops")
UNITS = Path("/etc/systemd/system")

ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "DEBIAN_FRONTEND": "noninteractive",
}


MAKE_ROOM = "free some space on the host, then run deploy again"
_BOUND = ("setpriv", "--pdeathsig", "KILL", "--")


class HostError(Exception):
    """The host refused: `str()` is what it said, `hint` what a person can do about it."""

    def __init__(self, message: str, hint: str = "", *, unit: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.unit = unit
        """Set when a unit would not run: this undoes the whole run."""


def run(
    *argv: str, timeout: float = 60, check: bool = True, bound: bool = False, **options: object
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end and returns it; HostError with its last words when it fails and `check` is set.

    A `bound` program does not outlive the agent: one that writes where the next run would find it at work.
    """
    if bound and not shutil.which(argv[0], path=ENV["PATH"]):
        raise HostError(f"{argv[0]} is not installed on this host")
    command = (*_BOUND, *argv) if bound else argv
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    settings = {"env": ENV, "text": True, "errors": "replace", "start_new_session": True, **pipes}
    try:
        child: subprocess.Popen[str] = subprocess.Popen(command, **(settings | options))  # type: ignore[call-overload]
    except FileNotFoundError as error:
        absent = error.filename != argv[0] and error.filename
        raise HostError(f"{absent} does not exist" if absent else f"{argv[0]} is not installed on this host") from error
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        _kill(child)
        raise HostError(f"`{' '.join(argv)}` did not end within {timeout:.0f} s") from error
    if check and child.returncode != 0:
        words = last_lines(err or out)
        raise HostError(f"`{' '.join(argv)}` exited {child.returncode}: {words}", _advice(words))
    return subprocess.CompletedProcess(argv, child.returncode, out, err)


def _advice(said: str) -> str:
    return MAKE_ROOM if os.strerror(errno.ENOSPC) in said else ""


def _kill(child: subprocess.Popen[str]) -> None:
    """With all that it started: a grandchild that holds the pipes would keep us waiting for as long as it lives."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def run_logged(*argv: str, log: str, timeout: float = 1800, cwd: str | None = None) -> None:
    """Runs a long program in a session of its own with its output in a file.

    A package manager must not die half-way because the person who started it went away: with a log file there is
    no pipe to break, and with its own session no signal reaches it.
    """
    LOGS.mkdir(mode=0o750, parents=True, exist_ok=True)
    path = LOGS / log
    with path.open("ab") as out:
        start = out.tell()
        done = run(*argv, timeout=timeout, check=False, cwd=cwd, stdout=out, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        with path.open(errors="replace") as said:
            said.seek(start)
            words = last_lines(said.read(), 12)
        raise HostError(f"`{' '.join(argv)}` exited {done.returncode}:\n{words}", f"the whole output is in {path}")


def last_lines(text: str, count: int = 4) -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:]) or "(it said nothing)"


def explain(error: OSError) -> HostError:
    """Turns an errno into words: which path, and what to do."""
    path = str(error.filename or "")
    if error.errno == errno.ENOSPC:
        return HostError(f"no space left on device{_free(path)}", MAKE_ROOM)
    if error.errno == errno.EROFS:
        return HostError(f"{path}: the file system is read-only", "look at `dmesg` and remount it read-write")
    return HostError(f"{path}: {error.strerror}" if path else str(error))


def _free(path: str) -> str:
    place = Path(path) if path else STATE
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return f" ({place} has {shutil.disk_usage(place).free // 1024} kB free)"
    except OSError:
        return ""


def facts() -> dict[str, str]:
    """{"os": "debian 12", "arch": "x86_64", "python": "3.11"} of this machine."""
    import sys

    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    name = f"{release.get('ID', '?')} {release.get('VERSION_ID', '?')}".replace('"', "")
    return {"os": name, "arch": os.uname().machine, "python": f"{sys.version_info[0]}.{sys.version_info[1]}"}
