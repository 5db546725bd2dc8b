"""What `./inv deploy`, `plan`, `status`, `logs`, `host.trust` and the lab's URLs are made of."""

from __future__ import annotations

import json as jsonlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ops import chronicle
from ops import deploy as deploying
from ops.chronicle import Writer
from ops.deploy import HostResult
from ops.errors import OpsError
from ops.inventory import Host, JournalRules
from ops.report import Report, show
from ops.resources import Unit
from ops.role import discover


def selected(host: str | None, group: str | None, all: bool) -> tuple[Host, ...]:
    return tuple(deploying.located(one) for one in deploying.inventory().select(host, group, all))


def deploy(
    hosts: Sequence[Host], *, role: str | None, plan: bool, diff: bool, json: bool, journal: Writer | None = None
) -> int:
    """Applies, or with `plan` only compares. Returns the exit code. `journal` is told of what was changed."""
    mode = "plan" if plan else "apply"
    report = Report(verbose=not plan)
    why = f"deploy --role {role}" if role else "deploy"
    results = deploying.deploy(hosts, report, mode=mode, only=role, why=why)
    if journal is not None and not plan:
        told = [chronicle.deployed(host, result, why) for host, result in zip(hosts, results, strict=True)]
        chronicle.tell(journal, deploying.inventory().journal if any(told) else JournalRules(), told)
    if json:
        _out(deploying.as_json(results))
    else:
        show(results, mode=mode, diffs=diff or plan)
    return deploying.exit_code(results, mode)


def status(hosts: Sequence[Host], *, json: bool) -> int:
    """How each host is doing; 1 when one cannot be reached or a check of its roles fails."""
    results = deploying.look(hosts, Report(verbose=False))
    if json:
        found = [{"host": result.host, "error": result.error, **_facts(result)} for result in results]
        _out(jsonlib.dumps(found[0] if len(found) == 1 else {"hosts": found}))
    else:
        from ops.report_status import show_status

        show_status(results)
    is_well = all(not result.error and _is_well(result) for result in results)
    return 0 if is_well else 1


def _facts(result: HostResult) -> dict[str, Any]:
    return {key: value for key, value in result.end.items() if key not in ("event", "outcome")}


def _is_well(result: HostResult) -> bool:
    return all(check["result"] == "ok" for check in result.end.get("checks", ()))


def logs(host: Host, unit: str | None, lines: int, follow: bool) -> int:
    """Prints the system journal of one unit, or of all units of the host's roles; returns the exit code."""
    known = _units(host)
    if unit and unit not in known and f"{unit}.service" not in known:
        raise OpsError(f"{host.name} has no unit {unit}; its roles have {', '.join(known)}")
    chosen = [unit] if unit else [name for name in known if name.endswith(".service")]
    words = ["journalctl", "--no-pager", "-o", "short-iso", "-n", str(lines), *(["-f"] if follow else [])]
    command = shlex.join([*words, *(word for name in chosen for word in ("-u", name))])
    from ops.wire import connect

    connection = connect(deploying.target_of(host))
    try:
        prefix = "" if connection.user == "root" else "sudo -n "
        return int(connection.run(prefix + command, warn=True, in_stream=False).exited)
    finally:
        connection.close()


def _units(host: Host) -> list[str]:
    """Names of our own units, from the roles alone: no secret is needed to read a log."""
    roles, report = discover(), Report(verbose=False)
    found = deploying.resolved(host, report)
    resources = [resource for name in host.roles for resource in roles[name].resources(found[name], host)]
    return [resource.unit for resource in resources if isinstance(resource, Unit) and not resource.vendor]


def trust(name: str, fingerprint: str | None) -> None:
    """Trusts a host's SSH key once a person has compared its fingerprint."""
    from ops import hostkeys

    host = deploying.inventory().host(name)
    shown = hostkeys.trust(deploying.target_of(host), fingerprint)
    sys.stderr.write(f"{name}: {shown} is trusted from now on (~/.ssh/known_hosts)\n")


def lab_urls(name: str) -> Mapping[str, str]:
    """Where the services of a lab host answer, by its roles; empty for a lab host that the inventory does not know."""
    from ops import lab

    host = deploying.inventory().hosts.get(name)
    machine = lab.info(name)
    if host is None or machine is None:
        return {}
    found, roles = deploying.resolved(host, Report(verbose=False)), discover()
    return {k: url for role in host.roles for k, url in roles[role].urls(found[role], machine.address).items()}


def _out(text: str) -> None:
    sys.stdout.write(text + "\n")
