"""Keeps the node within its disk: stops it when its data is over the budget, starts it again once there is room.

    python -m blockdag.guard

Reads what blockdag.probe found, as root, right after it. A node that somebody else stopped is never started: only one
that this stopped, which a file beside the probe's says. Standard library only.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runtime.settings import environment

UNIT = "blockdag.service"
ROOM = 0.95
"""Of the budget: below it a stopped node is started again, so that it does not go to and fro at the edge."""
GB = 1e9
Run = Callable[[str], int]


class Rules(NamedTuple):
    """`budget` and `keep_free` are bytes."""

    budget: float
    keep_free: float
    is_stopped: bool


def verdict(disk: Mapping[str, Any], rules: Rules) -> str:
    """Why the node must not run, "" when it may; "?" where that is not known, or not clearly enough to start it."""
    whole, free = disk.get("bytes"), disk.get("free_bytes")
    used = whole if whole is not None else disk.get("at_least_bytes")
    if used is not None and used >= rules.budget:
        return f"its data takes {used / GB:.2f} GB of a budget of {rules.budget / GB:g} GB"
    if free is not None and free < rules.keep_free:
        return f"only {free / GB:.2f} GB are free, and {rules.keep_free / GB:g} GB must stay so"
    if whole is None or free is None or whole >= ROOM * rules.budget:
        return "?"
    return "" if not rules.is_stopped or free >= rules.keep_free / ROOM else "?"


def act(told: Mapping[str, Any], rules: Rules, marker: Path, run: Run) -> str:
    """What was done, in words for the system journal; "" when nothing had to be."""
    why = verdict(told.get("disk") or {}, rules)
    is_running = (told.get("container") or {}).get("state") in ("running", "restarting")
    if why not in ("", "?") and is_running:
        marker.write_text(why + "\n")
        done = run("stop")
        return f"{UNIT} {'was stopped' if done == 0 else 'could not be stopped'}: {why}"
    if why == "" and marker.exists():
        if is_running:  # somebody made room and started it
            marker.unlink()
            return ""
        done = run("start")
        if done == 0:
            marker.unlink()
        return f"{UNIT} {'was started again' if done == 0 else 'could not be started again'}: there is room"
    return ""


def _systemctl(verb: str) -> int:
    return subprocess.run(["/usr/bin/systemctl", verb, UNIT], check=False).returncode


def main(given: Mapping[str, str], run: Run = _systemctl) -> int:
    """1 when something had to be done and was not."""
    probe = Path(given.get("BLOCKDAG_PROBE", "") or "/run/blockdag/probe.json")
    marker = probe.with_name("full")
    if given.get("BLOCKDAG_WHEN_FULL") != "stop":
        return 0
    rules = Rules(
        float(given["BLOCKDAG_BUDGET_GB"]) * GB, float(given.get("BLOCKDAG_KEEP_FREE_GB", "0")) * GB, marker.exists()
    )
    said = act(json.loads(probe.read_text()), rules, marker, run)
    if said:
        sys.stdout.write(said + "\n")
    return 1 if "could not" in said else 0


if __name__ == "__main__":
    sys.exit(main(environment()))
