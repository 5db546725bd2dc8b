"""A control group for each container, on machines where no systemd gives it one.

Two containers started from one shell would otherwise share theirs, and each systemd take the other's for its own.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def make(name: str) -> list[Path]:
    """The group, in each hierarchy that systemd looks at."""
    groups = [root / name for root in _hierarchies()]
    for group in groups:
        group.mkdir(exist_ok=True)
    return groups


def empty(name: str, seconds: float = 10) -> None:
    """Kills what is in the group and removes it; does nothing when there is none."""
    groups = [root / name for root in _hierarchies() if (root / name).is_dir()]
    deadline = time.monotonic() + seconds
    while any(not _removed(group) for group in groups) and time.monotonic() < deadline:
        for pid in {pid for group in groups for pid in _processes(group)}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _processes(group: Path) -> list[int]:
    with suppress(OSError):
        return [int(pid) for path in group.rglob("cgroup.procs") for pid in path.read_text().split()]
    return []


def _removed(group: Path) -> bool:
    """A group can be removed only when nothing is in it, the innermost first."""
    with suppress(OSError):
        for folder in sorted([*group.rglob("*/"), group], reverse=True):
            folder.rmdir()
    return not group.exists()


def _hierarchies() -> list[Path]:
    """Where systemd keeps its groups: the unified hierarchy, and the old one named systemd where it is mounted."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(m[1]) for m in mounts if m[2] == "cgroup2" or (m[2] == "cgroup" and "name=systemd" in m[3].split(","))]
