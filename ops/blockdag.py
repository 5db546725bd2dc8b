"""`./inv blockdag.*`: a host's node, started, stopped, looked at; and whether it mines to the right address.

The probe that looks every 15 seconds is run once more, so that what is shown is fresh.
"""

from __future__ import annotations

import json as jsonlib
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ops import deploy as deploying
from ops.blockdag_show import advice, shown
from ops.errors import ConnectError, OpsError, UsageError
from ops.evm import checksummed
from ops.inventory import Host
from ops.redact import RedactedStream, Redactor
from ops.report import Report
from ops.wire import connect

ROLE = "blockdag"
UNIT, PROBE, TIMER = "blockdag.service", "blockdag-probe.service", "blockdag-probe.timer"
UNITS = ("docker.service", UNIT, TIMER)
PROBED = "/run/blockdag/probe.json"
FULL = "/run/blockdag/full"
Json = dict[str, Any]


@dataclass(frozen=True)
class Node:
    """A host's node: its settings, and an open connection to the host."""

    host: Host
    config: Any
    connection: Any

    def run(self, *words: str, **options: Any) -> Any:
        """Runs it as root to its end, whatever its exit status. Raises ConnectError when the host is lost meanwhile."""
        command = shlex.join([*([] if self.connection.user == "root" else ["sudo", "-n"]), *words])
        try:
            return self.connection.run(command, warn=True, in_stream=False, **({"hide": True} | options))
        except Exception as error:  # Paramiko, its threads and the socket each have their own
            why = str(error) or type(error).__name__
            raise ConnectError(f"{self.host.name}: the connection was lost: {why}", hint="run it again") from error


@contextmanager
def node(host: Host) -> Iterator[Node]:
    """The host's node while the connection is open. Raises OpsError when the host has none."""
    if ROLE not in host.roles:
        raise OpsError(f"{host.name} has no role {ROLE}", hint="add docker and blockdag: roles/blockdag/README.md")
    config: Any = deploying.resolved(host, Report())[ROLE]
    connection = connect(deploying.target_of(host))
    connection.transport.set_keepalive(30)  # a stop may say nothing for a minute and more
    try:
        yield Node(host, config, connection)
    finally:
        connection.close()


def up(host: Host) -> None:
    """Starts the node; where its unit is up already, what was stopped or removed by hand comes back."""
    with node(host) as one:
        _systemctl(one, "reload-or-restart")
    _out(f"{host.name}: the node was started; ./inv blockdag.status --host {host.name}")


def down(host: Host) -> None:
    with node(host) as one:
        _systemctl(one, "stop")
    _out(f"{host.name}: the node was stopped; it stays so until ./inv blockdag.up, a deploy or a reboot")


def _systemctl(one: Node, verb: str) -> None:
    done = one.run("systemctl", verb, UNIT)
    if done.exited == 0:
        return
    said = one.run("journalctl", "-u", UNIT, "-n", "6", "--no-pager", "-o", "cat").stdout.strip()
    why = "\n".join(f"  | {line}" for line in (said or done.stderr.strip()).splitlines())
    hint = f"./inv deploy --host {one.host.name}" if "not found" in done.stderr else f"./inv logs --unit {UNIT}"
    raise OpsError(f"{one.host.name}: {UNIT} did not {verb}:\n{why}", hint=hint)


def status(host: Host, *, json: bool) -> int:
    """1 when something keeps the node from its work."""
    with node(host) as one:
        found = _status(one)
    _out(jsonlib.dumps(found) if json else "\n".join(shown(found)))
    return 1 if found["advice"] else 0


def _status(one: Node) -> Json:
    probed = one.run("systemctl", "start", PROBE)
    said = one.run("systemctl", "show", "-p", "Id,LoadState,ActiveState,SubState,UnitFileState", *UNITS).stdout
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in said.split("\n\n")]
    units = [{"name": unit.get("Id", ""), "state": _state(unit), "enabled": unit.get("UnitFileState", "")}
             for unit in blocks if unit]  # fmt: skip
    told = one.run("cat", PROBED)
    full = one.run("cat", FULL)
    config = one.config
    wanted = {"kind": config.kind, "image": config.pinned, "address": config.address, "p2p_port": config.p2p_port}
    found: Json = {"host": one.host.name, "wanted": wanted, "units": units, "probe": _json(told.stdout)}
    found["stopped_for_disk"] = full.stdout.strip() if full.exited == 0 else ""
    found["probe_error"] = "" if probed.exited == 0 else (probed.stderr.strip() or "its probe failed")
    return found | {"advice": advice(found)}


def _state(unit: Json) -> str:
    return "missing" if unit.get("LoadState") == "not-found" else str(unit.get("ActiveState", ""))


def _json(text: str) -> Json | None:
    try:
        found: Json = jsonlib.loads(text)
    except ValueError:
        return None
    return found


def logs(host: Host, lines: int, follow: bool) -> int:
    """The node's own log, as Docker keeps it, without the RPC's password. Returns the exit code."""
    with node(host) as one:
        redact = Redactor({"rpc_password": one.config.rpc_password.get_secret_value()})
        words = ["docker", "logs", "--tail", str(lines), *(["--follow"] if follow else []), "--", one.config.container]
        out, err = RedactedStream(sys.stdout, redact), RedactedStream(sys.stderr, redact)
        done = one.run(*words, hide=False, out_stream=out, err_stream=err)
        out.flush()
        err.flush()
    return int(done.exited)


def wallet_check(host: Host | None, address: str | None, json: bool) -> int:
    """Whether an address is valid, who uses it, and whether the container there has it; 1 when something is wrong."""
    if address is not None and host is not None:
        raise UsageError("either --host or --address")
    found = _of_address(address) if address is not None else _of_host(host)
    _out(jsonlib.dumps(found) if json else "\n".join(_wallet(found)))
    return 0 if not found["problems"] else 1


def _of_address(address: str) -> Json:
    """Nothing is connected to."""
    try:
        right = checksummed(address)
    except ValueError as error:
        return {"address": address, "hosts": [], "running": None, "problems": [f"{address}: {error}"]}
    users = [host.name for host in deploying.inventory().hosts.values() if _uses(host, right)]
    return {"address": right, "hosts": users, "running": None, "problems": []}


def _uses(host: Host, address: str) -> bool:
    given = host.settings.get(ROLE, {}).get("address")
    return ROLE in host.roles and isinstance(given, str) and checksummed(given) == address


def _of_host(host: Host | None) -> Json:
    if host is None:
        raise UsageError("which? --host H, or --address 0x...")
    with node(host) as one:
        address, name = one.config.address, one.config.container
        done = one.run("docker", "inspect", "--type=container", "--format", "{{json .Config.Env}}", "--", name)
    if done.exited:
        why = done.stderr.strip().splitlines()[-1:] or ["docker inspect failed"]
        return {"address": address, "hosts": [host.name], "running": None, "problems": [f"container {name}: {why[0]}"]}
    variables = dict(one.partition("=")[::2] for one in jsonlib.loads(done.stdout))
    running = variables.get("MINING_ADDRESS", "")
    wrong = f"the container {name} mines to {running or 'nobody'}, and the inventory says {address}: ./inv deploy"
    return {"address": address, "hosts": [host.name], "running": running, "problems": [wrong] * (running != address)}


def _wallet(found: Json) -> list[str]:
    if found["problems"] and not found["hosts"]:
        return list(found["problems"])
    lines = [f"{found['address']}: valid", f"  used by  {', '.join(found['hosts']) or 'no host of the inventory'}"]
    lines += [f"  running  {found['running']}"] if found["running"] else []
    return [*lines, *(f"  WRONG    {problem}" for problem in found["problems"])]


def _out(text: str) -> None:
    sys.stdout.write(text + "\n")
