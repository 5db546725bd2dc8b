"""`./inv quant.cluster`: scheduler and workers on the hosts of a group, and what they do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from ops import deploy as deploying
from ops import host_tasks as hosts
from ops import quant
from ops.chronicle import Writer
from ops.cluster_place import place_of
from ops.errors import UsageError
from ops.inventory import Host
from ops.report import Report

ROLE = "compute"
WAIT = 60
"""Seconds for all hosts' workers to find their scheduler after a deploy."""


def cluster(group: str, *, status: bool, json: bool, journal: Writer | None) -> int:
    """Deploys the group's hosts unless only `status` is asked; returns what failed, or becomes `python -m
    quant.cluster`, which shows the workers as this machine sees them."""
    chosen = hosts.selected(None, group, False)
    _check(chosen, group)
    if not status:
        with redirect_stdout(sys.stderr if json else sys.stdout):
            code = hosts.deploy(chosen, role=None, plan=False, diff=False, json=False, journal=journal)
        if code:
            return code
    url = _scheduler(hosts.selected(None, group, False)[0])
    sys.stdout.flush()
    return quant.run("cluster", scheduler=url, hosts=len(chosen), wait=0 if status else WAIT, json=json)


def _check(chosen: Sequence[Host], group: str) -> None:
    without = [host.name for host in chosen if ROLE not in host.roles]
    if without or not chosen:
        who = f"{', '.join(without)} of the group {group} has no role {ROLE}" if chosen else f"{group} has no hosts"
        raise UsageError(who, hint=f"add {ROLE} to its roles in inventory.yaml (roles/{ROLE}/README.md)")
    settings = [deploying.resolved(host, Report(verbose=False))[ROLE] for host in chosen]
    others = {name for found in settings if (name := str(getattr(found, "group", group))) != group}
    if others:
        raise UsageError(
            f"the hosts of {group} say settings.compute.group: {', '.join(sorted(others))}",
            hint=f"set settings.compute.group: {group} for the group, or say --group {min(others)}",
        )


def _scheduler(host: Host) -> str:
    found = deploying.resolved(host, Report(verbose=False))[ROLE]
    return place_of(found, host).url  # type: ignore[arg-type]
