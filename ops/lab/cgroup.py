"""A control group for each container, on machines where no systemd gives it one.

Two containers started from one shell would otherwise share theirs, and each systemd take the other's for its own. The
old hierarchies of the controllers count too: a Docker in the container makes its groups there, and they go with it.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def make(name: str) -> list[Path]:
    """The group, in each hierarchy."""
    groups = [root / name for root in _hierarchies()]
    for group in groups:
        group.mkdir(exist_ok=True)
        _may_run(group)
    return groups


def _may_run(group: Path) -> None:
    """A new group of the old cpuset hierarchy has no processors, and takes no process until it has (cpusets(7))."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group / name).exists() and not (group / name).read_text().strip():
            (group / name).write_text((group.parent / name).read_text())


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
    """The unified hierarchy and the old ones, wherever they are mounted."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(mount[1]) for mount in mounts if mount[2] in ("cgroup", "cgroup2")]
