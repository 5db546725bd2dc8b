"""What `./inv deploy`, `plan`, `status`, `logs`, `alert.test` and `host.trust` do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from ops import deploy as deploying
from ops.deploy import HostResult
from ops.errors import OpsError, UsageError
from ops.inventory import Host
from ops.report import Report, show


def selected(host: str | None, group: str | None, all: bool) -> tuple[Host, ...]:
    return deploying.inventory().select(host, group, all)


def deploy(hosts: Sequence[Host], *, role: str | None, plan: bool, diff: bool, json: bool) -> int:
    """Applies, or with `plan` only compares. Returns the exit code."""
    mode = "plan" if plan else "apply"
    report = Report(verbose=not plan)
    results = deploying.deploy(hosts, report, mode=mode, only=role, why=f"deploy --role {role}" if role else "deploy")
    _print(results, mode, diff, json)
    return deploying.exit_code(results, mode)


def _print(results: Sequence[HostResult], mode: str, diff: bool, json: bool) -> None:
    if json:
        sys.stdout.write(deploying.as_json(results) + "\n")
    else:
        show(results, mode=mode, diffs=diff or mode == "plan")




def trust(name: str, fingerprint: str | None) -> None:
    """Trusts a host's SSH key once a person has compared its fingerprint."""
    from ops import hostkeys

    host = deploying.inventory().host(name)
    shown = hostkeys.trust(deploying.target_of(host), fingerprint)
    sys.stderr.write(f"{name}: {shown} is trusted from now on (~/.ssh/known_hosts)\n")


def remote(host: Host, command: str, *, follow: bool = False) -> Any:
    """Runs one command on the host through the same verified connection; returns what it printed."""
    from ops.wire import connect

    connection = connect(deploying.target_of(host))
    prefix = "" if connection.user == "root" else "sudo -n "
    try:
        if follow:
            return connection.run(prefix + command, pty=False, warn=True, in_stream=False)
        return connection.run(prefix + command, hide=True, warn=True, in_stream=False)
    finally:
        connection.close()


