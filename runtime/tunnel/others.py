"""Agents of the same kind that somebody started by hand on this machine: one of them may hold the URL."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
INTERPRETERS = ("python", "sh", "bash", "dash")
PATIENCE = 5.0
"""Seconds for an agent to end before it is killed."""


@dataclass(frozen=True)
class Other:
    pid: int
    user: str
    unit: str

    def __str__(self) -> str:
        where = f"unit {self.unit}" if self.unit else "started by hand"
        return f"process {self.pid} of {self.user}, {where}"


def find(program: str, unit: str) -> list[Other]:
    """Processes that run `program` and do not belong to `unit`."""
    found = [_other(int(path.name)) for path in PROC.iterdir() if path.name.isdecimal() and _runs(path, program)]
    return sorted((one for one in found if one and one.unit != unit), key=lambda one: one.pid)


def stop(others: list[Other]) -> None:
    """Ask each to end, and make it end."""
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        limit = time.monotonic() + PATIENCE
        for one in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, wanted)
        while any((PROC / str(one.pid)).exists() for one in others) and time.monotonic() < limit:
            time.sleep(0.05)


def _runs(process: Path, program: str) -> bool:
    """By the name that it was started under; a script's is its interpreter's second word (an editor's is not)."""
    try:
        words = [Path(os.fsdecode(word)).name for word in (process / "cmdline").read_bytes().split(b"\0")[:2]]
    except OSError:
        return False
    return words[0] == program or (words[0].startswith(INTERPRETERS) and words[1:] == [program])


def _other(pid: int) -> Other | None:
    try:
        owner = (PROC / str(pid)).stat().st_uid
        group = (PROC / str(pid) / "cgroup").read_text().strip().rpartition("/")[2]
    except OSError:
        return None
    try:
        user = pwd.getpwuid(owner).pw_name
    except KeyError:
        user = str(owner)
    return Other(pid, user, group if group.endswith(".service") else "")
