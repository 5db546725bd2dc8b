"""`./inv miner.*`: what is asked of a host's miner, and told to it.

Programs of the host's own release do the asking there (miner.detect, miner.command): cgminer's API knows no password,
so it listens on the host itself.
"""

from __future__ import annotations

import json as jsonlib
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ops import deploy as deploying
from ops import miner_show as show
from ops import service_call
from ops.errors import ConnectError, OpsError, UsageError
from ops.inventory import Host
from ops.paths import ROOT
from ops.report import Report
from ops.wire import connect

ROLE = "miner"
UNIT = "cgminer.service"
PYTHON = "/opt/trading/venv/bin/python"
LOCK = "/run/trading-ops/lock"
"""What a deploy holds while it works on the host."""
EVERY = 3.0
"""Seconds between two looks of --watch."""
Json = dict[str, Any]

# Both links change under the lock that deploys take. What ran before becomes the previous one: twice is there and back.
ROLLBACK = """
set -e
cd /opt/cgminer
new=$(readlink previous) && test -e "$new/build.json" || { echo "there is no build before this one" >&2; exit 3; }
old=$(readlink current)
ln -sfnT "$new" .current.new && mv -T .current.new current
ln -sfnT "$old" .previous.new && mv -T .previous.new previous
systemctl restart cgminer.service
printf '{"before": "%s", "current": "%s"}\\n' "$old" "$new"
"""


@dataclass(frozen=True)
class Rig:
    """A host, its miner's settings (None: it has no such role), and an open connection to it."""

    host: Host
    config: Any
    connection: Any

    def run(self, *words: str) -> Any:
        """Runs it as root to its end, whatever its exit status. Raises ConnectError when the host is lost meanwhile."""
        command = shlex.join([*([] if self.connection.user == "root" else ["sudo", "-n"]), *words])
        try:
            return self.connection.run(command, hide=True, warn=True, in_stream=False)
        except Exception as error:  # Paramiko, its threads and the socket each have their own
            why = str(error) or type(error).__name__
            raise ConnectError(f"{self.host.name}: the connection was lost: {why}", hint="run it again") from error

    def ask(self, module: str, *words: str) -> Json:
        """One of the host's own programs, which answers with a JSON object. Raises OpsError."""
        done = self.run("env", "PYTHONDONTWRITEBYTECODE=1", PYTHON, "-P", "-m", module, *words)
        try:
            said: Json = jsonlib.loads(done.stdout)
        except ValueError:
            raise OpsError(
                f"{self.host.name}: {self._why(done)}", hint=f"./inv deploy --host {self.host.name}"
            ) from None
        if "error" in said:
            raise OpsError(f"{self.host.name}: {said['error']}", hint=said.get("hint") or None)
        return said

    def command(self, *words: str) -> Json:
        return self.ask("miner.command", *self.api, *words)

    @property
    def api(self) -> list[str]:
        everywhere = self.config.api_listen in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        return ["--host", "127.0.0.1" if everywhere else self.config.api_listen, "--port", str(self.config.api_port)]

    @property
    def mhz(self) -> list[str]:
        """What the inventory asks for, by kind of stick."""
        found = [f"{kind}={mhz:g}" for kind, mhz in self.config.frequency.items()] if self.config else []
        return ["--mhz", *found] if found else []

    def _why(self, done: Any) -> str:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.exited}"]
        no_release = "No such file" in done.stderr or "No module named" in done.stderr
        return "its release is not there, or has no miner in it" if no_release else said[0]


@contextmanager
def rig(host: Host, *, needs_role: bool = True) -> Iterator[Rig]:
    """The host's miner while the connection is open. Raises OpsError when the host has none."""
    if needs_role and ROLE not in host.roles:
        raise no_role(host)
    config = deploying.resolved(host, Report())[ROLE] if ROLE in host.roles else None
    connection = connect(deploying.target_of(host))
    connection.transport.set_keepalive(30)  # a bench says nothing for many minutes
    try:
        yield Rig(host, config, connection)
    finally:
        connection.close()


def no_role(host: Host) -> OpsError:
    hint = "add miner to its roles and pools to its settings (roles/miner/README.md), then ./inv miner.install"
    return OpsError(f"{host.name} has no role {ROLE}", hint=f"{hint} --host {host.name}")


def check_role(host: Host) -> None:
    if ROLE not in host.roles:
        raise no_role(host)


def detect(host: Host | None, *, json: bool) -> int:
    """The sticks of a host, or of this machine; 1 when there is none."""
    if host is None:
        found = _detect_here()
    else:
        with rig(host, needs_role=False) as one:
            found = {"host": host.name, **one.ask("miner.detect", *one.mhz)}
    show.out(jsonlib.dumps(found)) if json else show.detected(found)
    return 0 if found["sticks"] else 1


def _detect_here() -> Json:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "miner.detect"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OpsError(f"this machine's USB devices cannot be read: {done.stderr.strip()[-300:]}")
    return {"host": "", **jsonlib.loads(done.stdout)}


def status(host: Host, *, json: bool, watch: bool) -> int:
    """1 when something keeps it from mining: no API, no stick, no pool."""
    with rig(host) as one:
        if watch and not json:
            show.live(lambda: _status(one), EVERY)
            return 0
        while True:
            found = _status(one)
            show.out(jsonlib.dumps(found)) if json else show.status(found)
            if not watch:
                return 1 if found["advice"] else 0
            time.sleep(EVERY)


def _status(one: Rig) -> Json:
    watts = [] if one.config.watts is None else ["--watts", str(one.config.watts)]
    found = one.command("status", *watts, *one.mhz)
    said = one.run("systemctl", "show", UNIT, "-p", "ActiveState,SubState,NRestarts,ExecMainStatus").stdout
    shown = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    unit = {"active": shown.get("ActiveState", ""), "sub": shown.get("SubState", "")}
    unit |= {"restarts": int(shown.get("NRestarts") or 0)}
    build = one.run("readlink", "/opt/cgminer/current").stdout.strip()
    found = {"host": one.host.name, "unit": unit, "build": build, **found}
    return found | {"advice": show.advice(found)}


def control(host: Host, verb: str) -> None:
    """start, stop or restart."""
    with rig(host) as one:
        done = one.run("systemctl", verb, UNIT)
        if done.exited:
            raise OpsError(f"{host.name}: {done.stderr.strip()}", hint=f"./inv miner.logs --host {host.name}")
    until = "; it stays so until ./inv miner.start, a deploy or a reboot" if verb == "stop" else ""
    show.out(f"{host.name}: cgminer was {'stopped' if verb == 'stop' else f'{verb}ed'}{until}")


def pools(host: Host, verbs: dict[str, str | None], *, json: bool) -> int:
    """Lists pools, after one was switched to, enabled or disabled; 1 when none is alive."""
    chosen = [(verb, number) for verb, number in verbs.items() if number is not None]
    if len(chosen) > 1:
        raise UsageError("one at a time: --switch, --enable or --disable")
    words = [word for pair in chosen for word in pair if word]
    if words and not words[1].isdigit():
        raise UsageError(f'"{words[1]}" is no pool\'s number', hint=f"./inv miner.pools --host {host.name} lists them")
    with rig(host) as one:
        found = {"host": host.name, **one.command("pools", *words)}
    show.out(jsonlib.dumps(found)) if json else show.pools(found)
    return 0 if any(pool["status"] == "Alive" for pool in found["pools"]) else 1


def freq(host: Host, stick: str, mhz: str, *, json: bool) -> None:
    _check_mhz([mhz])
    with rig(host) as one:
        found = {"host": host.name, **one.command("freq", "--", stick, mhz)}
    show.out(jsonlib.dumps(found)) if json else show.frequency(found)


def bench(host: Host, stick: str, frequencies: str, seconds: float, *, json: bool) -> None:
    """Measures hashrates at each frequency for so many seconds, and sets back what was."""
    _check_mhz(frequencies.split(",") if frequencies else [])
    words = ["bench", "--stick", stick, "--frequencies", frequencies, "--seconds", str(seconds)]
    rounds = len(frequencies.split(",")) if frequencies else 1
    show.note(f"{host.name}: measuring for {rounds * seconds:g} s; what its sticks run at is set again afterwards")
    with rig(host) as one:
        found = {"host": host.name, **one.command(*words)}
    show.out(jsonlib.dumps(found)) if json else show.measured(found)


def forget(host: Host, stick: str, *, json: bool) -> None:
    """The monitor stops missing a stick that was given away. Raises OpsError: it is plugged in, or was never seen."""
    with service_call.monitor(host) as monitor:
        monitor.operate("/api/forget", {"stick": stick})
    found = {"host": host.name, "stick": stick, "forgotten": True}
    show.out(jsonlib.dumps(found)) if json else show.forgotten(found)


def _check_mhz(words: Sequence[str]) -> None:
    for word in words:
        try:
            float(word)
        except ValueError:
            raise UsageError(f'"{word}" is no frequency in MHz', hint="write 400, or 350,400 for several") from None


def rollback(host: Host, *, json: bool) -> None:
    """Runs the build before the one in use. A second time comes back to this one."""
    with rig(host) as one:
        done = one.run(
            "sh", "-c", f'mkdir -p {LOCK.rpartition("/")[0]}; exec flock -w 60 {LOCK} sh -c "$1"', "sh", ROLLBACK
        )
    if done.exited:
        why = done.stderr.strip() or "another run holds the host"
        raise OpsError(f"{host.name}: {why}", hint=f"./inv miner.status --host {host.name}")
    found = {"host": host.name, **jsonlib.loads(done.stdout)}
    show.out(jsonlib.dumps(found)) if json else show.rolled_back(found)
