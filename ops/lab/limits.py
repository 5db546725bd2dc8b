"""What many hosts on one kernel need more of than its defaults: systemd and container runtimes watch files.

A host takes eight inotify instances, and root has 128 by default, on all hosts together: the 17th would not boot.
"""

from __future__ import annotations

from pathlib import Path

INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
BEFORE = Path("/run/trading-ops-lab/inotify-instances-before")
WANTED = 1024


def prepare() -> None:
    """Raises the limit where it is lower, and remembers what it was. Where it cannot be raised, it stays."""
    try:
        found = INSTANCES.read_text().strip()
        if int(found) < WANTED:
            INSTANCES.write_text(str(WANTED))
            BEFORE.parent.mkdir(exist_ok=True)
            BEFORE.write_text(found)
    except OSError:
        return


def remove() -> None:
    """Puts back what prepare() found, unless somebody changed it since."""
    if BEFORE.exists():
        if INSTANCES.read_text().strip() == str(WANTED):
            INSTANCES.write_text(BEFORE.read_text())
        BEFORE.unlink()
