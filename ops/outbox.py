"""`./inv outbox.status` and `outbox.retry`: asked on the host itself, of the store that the webhook writes.

It runs there as the service does: as user trading, in its working directory, with its environment file (which only root
may read, so systemd reads it). No secret is in a command line, and none comes back.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from ops import deploy as deploying
from ops.errors import OpsError, UsageError
from ops.inventory import Host
from ops.wire import connect

ROLE = "webhook"
AS_THE_SERVICE = (
    "systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec",
    "-p", "User=trading", "-p", "Group=trading", "-p", "EnvironmentFile=/opt/trading/.env",
    "-p", "WorkingDirectory=/opt/trading/state", "-p", "UMask=0077", "-E", "PYTHONSAFEPATH=1",
    "-E", "PYTHONDONTWRITEBYTECODE=1", "/opt/trading/venv/bin/python", "-m", "runtime.outbox",
)  # fmt: skip


def status(host: Host, *, json: bool) -> int:
    """How each sink stands; 1 when one fails or has dead letters."""
    return _run(host, ["status", *(["--json"] if json else [])])


def retry(host: Host, sink: str, letter: int | None, *, all: bool) -> int:
    """Have one dead letter of a sink sent again, or all of them."""
    if (letter is None) is not all:
        raise UsageError("which of them?", hint="--id N for one that ./inv outbox.status shows, or --all")
    return _run(host, ["retry", sink, *(["--all"] if all else ["--id", str(letter)])])


def _run(host: Host, arguments: Sequence[str]) -> int:
    if ROLE not in host.roles:
        raise OpsError(f"{host.name} has no role {ROLE}, so it delivers nothing")
    connection = connect(deploying.target_of(host))
    try:
        sudo = [] if connection.user == "root" else ["sudo", "-n"]
        done = connection.run(shlex.join([*sudo, *AS_THE_SERVICE, *arguments]), hide=True, warn=True, in_stream=False)
    finally:
        connection.close()
    sys.stdout.write(done.stdout)
    if done.exited not in (0, 1) or (done.exited and done.stderr):
        hint = f"./inv status --host {host.name}; ./inv logs --host {host.name}"
        raise OpsError(f"{host.name}: {done.stderr.strip() or f'exit status {done.exited}'}", hint=hint)
    return int(done.exited)
