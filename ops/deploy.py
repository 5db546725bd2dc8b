"""Bringing hosts to their desired state: everything is planned and checked first, then each host is one trip."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from ops.errors import LabError, OpsError
from ops.inventory import Host, Inventory, Mate, load, resolve, secret_values
from ops.paths import INVENTORY
from ops.plan import Plan, build, extras
from ops.report import Report
from ops.role import Role, configs, discover
from ops.role_config import RoleConfig
from ops.secrets import Vault, vault_for
from ops.wire import Session, Target, connect

INTERRUPTED = 130
AT_ONCE = 10
"""Hosts that are worked on at the same time."""
Resolved = dict[str, RoleConfig]


@dataclass
class HostResult:
    """What became of one host. `resources` are the agent's results in order."""

    host: str
    release: str = ""
    seconds: float = 0.0
    outcome: str = "failed"
    resources: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    end: dict[str, Any] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        return len([item for item in self.resources if item["result"] in ("changed", "change", "drift")])

    @property
    def failed(self) -> int:
        return len([item for item in self.resources if item["result"] == "failed"]) + (1 if self.error else 0)

    def json(self) -> dict[str, Any]:
        """The documented object of `deploy --json`; what went wrong, if anything did, comes on top of it."""
        said = {"host": self.host, "release": self.release, "seconds": round(self.seconds, 3)}
        extra = {} if self.outcome == "done" else {"outcome": self.outcome}
        extra |= {"error": self.error} if self.error else {}
        notes = {key: self.end[key] for key in ("check", "undone", "problems", "interrupted") if self.end.get(key)}
        return {**said, "resources": self.resources, "changed": self.changed, "failed": self.failed, **extra, **notes}


@dataclass(frozen=True)
class Prepared:
    """A host with its secrets in place and its plan made: nothing about it can still be wrong on our side."""

    plan: Plan
    target: Target
    configs: Resolved


def inventory() -> Inventory:
    return load(INVENTORY, configs())


def target_of(host: Host, *, boot: bool = False, report: Report | None = None) -> Target:
    """Where `host` is reached. A lab host is booted first if asked; otherwise LabError says that it is not running."""
    if not host.lab:
        return Target(host.name, host.address, host.port, host.user, host.key, host.host_key)
    from ops import lab

    machine = lab.up(host.name, say=report.say if report else lambda _: None) if boot else lab.info(host.name)
    if machine is None:
        raise LabError(f"the lab host {host.name} is not running", hint=f"./inv lab.up {host.name}")
    return Target(host.name, machine.address, machine.port, machine.user, machine.key, None, machine.known_hosts)


def located(host: Host) -> Host:
    """`host` with the addresses of its mates in the lab, which only the lab knows."""
    return replace(host, mates={group: tuple(map(_located, mates)) for group, mates in host.mates.items()})


def _located(mate: Mate) -> Mate:
    if not mate.lab:
        return mate
    from ops import lab

    machine = lab.info(mate.name)
    return replace(mate, address=machine.address if machine else "")


def _together(hosts: Sequence[Host], report: Report, *, boot: bool) -> list[Host]:
    """Lab hosts of a group are booted before they are planned: they may have to know each other's addresses."""
    for host in hosts:
        if boot and host.lab and host.groups:
            target_of(host, boot=True, report=report)
    return [located(host) for host in hosts]


class _Looking:
    """A vault that is only looked into: a plan shows that a secret would be made, and makes none."""

    def __init__(self, vault: Vault, report: Report) -> None:
        self._vault, self._report = vault, report

    def get(self, name: str, host: str | None = None) -> str | None:
        return self._vault.get(name, host)

    def generate(self, name: str, host: str | None = None) -> str:
        self._report.say(f"a deploy would make the secret {name} for {host}")
        return token_urlsafe(32)


def resolved(host: Host, report: Report, *, make: bool = False) -> Resolved:
    """The configuration of each of the host's roles with its secrets, which from here on appear in no output.

    `make` keeps a new value for each secret with `generate: true` that has none.
    """
    vault = vault_for(host, report.say)
    found: Resolved = resolve(host, configs(), vault if make else _Looking(vault, report))
    report.redact(secret_values(host, found))
    return found


def prepare(hosts: Sequence[Host], report: Report, *, mode: str, only: str | None, why: str) -> list[Prepared]:
    """Plans every host before the first connection."""
    boot = mode == "apply"
    hosts = _together(hosts, report, boot=boot)
    ready = [(host, resolved(host, report, make=boot)) for host in hosts]
    roles = discover()
    plans = [(plan_for(host, found, roles, report, mode=mode, only=only, why=why), found) for host, found in ready]
    return [Prepared(plan, target_of(plan.host, boot=boot, report=report), found) for plan, found in plans]


def plan_for(
    host: Host, found: Resolved, roles: Mapping[str, Role], report: Report, *, mode: str, only: str | None, why: str
) -> Plan:
    if only and only not in host.roles:
        raise OpsError(f"{host.name} has no role {only}; it has {', '.join(host.roles)}")
    wanted = extras(host, found, roles)
    bundle = None
    if wanted:
        from ops.release import assemble

        bundle = assemble(wanted, host.arch, host.python, say=report.say)
    return build(host, found, roles, bundle, mode=mode, only=only, why=why)


def deploy(
    hosts: Sequence[Host], report: Report, *, mode: str = "apply", only: str | None = None, why: str = "deploy"
) -> list[HostResult]:
    """Plans (`mode` "plan") or applies; one result a host, in their order. Ctrl-C lets each host finish its step."""
    ready = prepare(hosts, report, mode=mode, only=only, why=why)
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        running = [pool.submit(_one, one, report, stop) for one in ready]
        _wait(running, report, stop)
    return [future.result() for future in running]


def look(hosts: Sequence[Host], report: Report) -> list[HostResult]:
    """Reads how each host is doing and touches nothing; what the agent found is in `end`."""
    return deploy(hosts, report, mode="status", why="status")


def _wait(running: list[Future[HostResult]], report: Report, stop: threading.Event) -> None:
    try:
        report.get_ready()
        wait(running)
    except KeyboardInterrupt:
        report.say("stopping after the step at hand (Ctrl-C again to leave at once)")
        stop.set()
        _wait_or_leave(running)


def _wait_or_leave(running: list[Future[HostResult]]) -> None:
    try:
        wait(running)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)  # a normal exit would wait for the very threads that this leaves behind


def _one(ready: Prepared, report: Report, stop: threading.Event) -> HostResult:
    start, result = time.perf_counter(), HostResult(ready.plan.host.name, ready.plan.release)
    roles = discover()
    for name in ready.plan.host.roles:
        result.urls = {**result.urls, **roles[name].urls(ready.configs[name], ready.target.address)}
    try:
        _trip(ready, report, stop, result)
    except OpsError as error:
        result.error = report.clean(str(error))
    except Exception as error:  # a fault of ours on one host must not lose what the others did
        result.error = report.clean(f"{result.host}: {type(error).__name__}: {error}\n  -> {report.keep_trace(error)}")
    result.seconds = time.perf_counter() - start
    report.waiting.set()
    report.done(result.host)
    return result


def _trip(ready: Prepared, report: Report, stop: threading.Event, result: HostResult) -> None:
    host, document = ready.plan.host, ready.plan.document
    total = len(document["resources"]) + (len(document["checks"]) if document["mode"] == "apply" else 0)
    report.step(host.name, f"connecting to {ready.target.address}", 0, total)
    connection = connect(ready.target)
    report.waiting.set()
    try:
        session = Session(connection, ready.target)
        on_event = _Listener(report, result, total)
        end = session.run(document, _blobs(ready.plan), on_event, stop)
    finally:
        connection.close()
    result.end = report.clean_obj(end)
    if end["event"] == "fatal":
        hint = end.get("hint") or ("this is a fault in the tool" if "trace" in end else None)
        raise OpsError(f"{host.name}: {end['message']}{chr(10) + end['trace'] if 'trace' in end else ''}", hint=hint)
    result.outcome = end["outcome"]


class _Listener:
    """Turns the agent's events into progress and results."""

    def __init__(self, report: Report, result: HostResult, total: int) -> None:
        self._report, self._result, self._total = report, result, total

    def __call__(self, event: dict[str, Any]) -> None:
        name, kind, done = self._result.host, event["event"], len(self._result.resources)
        if kind == "start":
            self._report.step(name, event["resource"], done + 1, self._total)
        elif kind == "upload":
            size = f"{event['size'] / 1e6:.1f} MB"
            self._report.step(
                name, f"uploading {event['name']} ({size}, {event['number']}/{event['of']})", done, self._total
            )
        elif kind == "progress":
            self._report.step(name, event["text"], done + 1, self._total)
        elif kind == "say":
            self._report.say(f"{name}: {event['text']}")
        elif kind == "result":
            self._result.resources.append(self._report.clean_obj(_result(event)))
            self._report.result(name, self._result.resources[-1])


def _result(event: dict[str, Any]) -> dict[str, Any]:
    shown = {key: event[key] for key in ("role", "resource", "result", "ms")}
    shown |= {key: event[key] for key in ("why", "hint") if event.get(key)}
    lines = [_line(change) for change in event["changes"]]
    return shown | ({"diff": "\n".join(lines)} if lines else {})


def _line(change: dict[str, str]) -> str:
    if "diff" in change:
        return change["diff"]
    return f"{change['what']}: {change.get('old', '-')} -> {change.get('new', '-')}"


def _blobs(plan: Plan) -> dict[str, Path]:
    wheels = [*plan.bundle.wheels, plan.bundle.installer] if plan.bundle else []
    return {wheel.sha256: wheel.path for wheel in wheels}


def exit_code(results: Sequence[HostResult], mode: str) -> int:
    """0 done, 1 failed, 2 a plan with changes, 130 interrupted."""
    if any(result.error or result.outcome in ("failed", "rolled-back") for result in results):
        return 1
    if any(result.outcome == "interrupted" for result in results):
        return 130
    return 2 if mode == "plan" and any(result.changed for result in results) else 0


def as_json(results: Sequence[HostResult]) -> str:
    """One object for one host, {"hosts": [...]} for several."""
    found = [result.json() for result in results]
    return json.dumps(found[0] if len(found) == 1 else {"hosts": found})
