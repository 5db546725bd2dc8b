"""`./inv doctor`: this machine, then each host in one trip; nothing that fails keeps the rest from being looked at."""

from __future__ import annotations

import json as jsonlib
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from ops import deploy as deploying
from ops import plan
from ops.deploy import AT_ONCE, Resolved
from ops.doctor import controller, machine, services, told
from ops.doctor.finding import CONTROLLER, Facts, Finding, at, notice, ok, problem
from ops.doctor.show import show
from ops.errors import ConnectError, InventoryError, LabError, OpsError, UsageError
from ops.inventory import Host, Inventory
from ops.report import Report
from ops.resources import Release, Unit
from ops.role import discover
from ops.wire import Session, connect

DEBIAN = "debian 12"
Json = dict[str, Any]


def doctor(host: str | None, group: str | None, all: bool, *, json: bool, verbose: bool) -> int:
    """Everything that is wrong, with what to do; without hosts named, every one that is no lab's. 0, or 1: problems."""
    if sum((host is not None, group is not None, all)) > 1:
        raise UsageError(
            "say which hosts: one of --host H, --group G, --all", hint="./inv doctor: all, but for lab hosts"
        )
    report = _Quiet(verbose=False)
    found, hosts = _begin(host, group)
    found += at(CONTROLLER, controller.judge(controller.gather(hosts)))
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for findings in pool.map(lambda one: _patient(one, report), hosts):
            found += findings
    cleaned = [Finding(**report.clean_obj(one.json())) for one in found]
    names = [CONTROLLER, *(one.name for one in hosts)]
    sys.stdout.write(jsonlib.dumps(as_json(cleaned, names[1:])) + "\n") if json else show(cleaned, names, verbose)
    return 1 if any(one.level == "problem" for one in cleaned) else 0


class _Quiet(Report):
    """What a deploy would make is nobody's trouble."""

    def say(self, text: str) -> None:
        pass


def as_json(found: Sequence[Finding], hosts: Iterable[str]) -> Json:
    """The documented object."""
    counts = {key: len([one for one in found if one.level == level]) for key, level in _COUNTED.items()}
    return {"ok": not counts["problems"], "hosts": list(hosts), **counts, "findings": [one.json() for one in found]}


_COUNTED = {"problems": "problem", "notices": "notice", "well": "ok"}


def _begin(host: str | None, group: str | None) -> tuple[list[Finding], tuple[Host, ...]]:
    """The inventory, and the hosts to look at. A name it does not have is wrong usage, a wrong file a finding."""
    try:
        inventory = deploying.inventory()
    except InventoryError as error:
        means = "no host can be deployed to"
        return at(CONTROLLER, [problem("inventory", "inventory", error.message, means, "mend these lines")]), ()
    chosen = inventory.select(host, group, all=host is None and group is None)
    return at(CONTROLLER, _about(inventory, chosen)), tuple(deploying.located(one) for one in chosen)


def _about(inventory: Inventory, chosen: Sequence[Host]) -> Iterable[Finding]:
    yield ok("inventory", "inventory", f"the inventory is valid: {len(inventory.hosts)} hosts")
    if not chosen:
        mend = "./inv doctor --host NAME"
        yield notice("inventory", "inventory.hosts", "it has lab hosts only, which are looked at by name", mend=mend)


def _patient(host: Host, report: Report) -> list[Finding]:
    """All that was found of one host, whatever happened."""
    try:
        return at(host.name, examined(host, report))
    except OpsError as error:
        return at(host.name, [_cannot(host, error)])
    except Exception as error:  # a fault of ours about one host must not lose what is known of the others
        says = f"doctor failed: {type(error).__name__}: {error}"
        return at(host.name, [problem("doctor", "doctor", says, "the tool is at fault", report.keep_trace(error))])
    finally:
        report.done(host.name)


def _cannot(host: Host, error: OpsError) -> Finding:
    mend = error.hint or f"./inv plan --host {host.name}"
    if isinstance(error, ConnectError | LabError):
        return problem("connection", "ssh", error.message, "nothing else is known of it", mend)
    return problem("inventory", "settings", error.message, "nothing can be deployed to it", mend)


def examined(host: Host, report: Report) -> list[Finding]:
    """Raises OpsError when the host cannot be asked at all."""
    configs = deploying.resolved(host, report)
    document = asked_of(host, configs)
    target = deploying.target_of(host)
    report.step(host.name, f"asking {target.address}", 0, 1)
    connection = connect(target)
    try:
        end = Session(connection, target).run(document, {}, lambda _: None, threading.Event())
        skew = end.get("now", 0.0) - time.time()
    finally:
        connection.close()
    if end["event"] == "fatal":
        raise ConnectError(f"{host.name}: {end['message']}", hint=end.get("hint") or None)
    reached = ok("connection", "ssh", f"{target.user}@{target.address} answers, and may do all")
    return [reached, *judged(report.clean_obj(end), document, host, skew)]


def asked_of(host: Host, configs: Resolved) -> Json:
    """The document for the agent: no wheels are needed to look, so a release that cannot be built hides nothing."""
    roles = discover()
    found = plan.gather(host, configs, roles)
    items = [{"kind": one.kind, "want": one.want()} for _, one in found if isinstance(one, Unit | Release)]
    looks = plan.looks(host, configs, roles)
    if any(item["kind"] == "release" for item in items):
        looks.append(_DRIFT)
    checks = [check.json(name) for name in host.roles for check in roles[name].checks(configs[name])]
    return {"version": plan.VERSION, "mode": "doctor", "resources": items, "checks": checks, "looks": looks}


_DRIFT = {
    "name": "drift", "file": "", "url": "", "module": "miner.drift",
    "words": ["--to", "-", "--patience", "0"], "env": "",
}  # fmt: skip


def judged(facts: Facts, document: Json, host: Host, skew: float) -> Iterable[Finding]:
    """Everything about one host, from what its agent gathered. Ages are by the host's own clock. Pure."""
    now = datetime.fromtimestamp(facts["now"], UTC)
    units = {item["want"]["name"]: item["want"] for item in document["resources"] if item["kind"] == "unit"}
    facts = facts | {"has_release": any(item["kind"] == "release" for item in document["resources"])}
    yield from machine.judge(facts, host.name, {"os": DEBIAN, "arch": host.arch, "python": host.python}, skew)
    yield from services.judge(facts, host.name, units, now)
    yield from told.judge(facts, host.name, now)
