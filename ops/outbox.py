"""`./inv outbox.status` and `outbox.retry`: asked on the host itself, of the store that the webhook writes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ops import as_service
from ops.errors import OpsError, UsageError
from ops.inventory import Host

ROLE = "webhook"
ENVIRONMENT = "/opt/trading/.env"


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
    done = as_service.run(host, ENVIRONMENT, "runtime.outbox", *arguments)
    sys.stdout.write(done.stdout)
    if done.exited not in (0, 1) or (done.exited and done.stderr):
        hint = f"./inv status --host {host.name}; ./inv logs --host {host.name}"
        raise OpsError(f"{host.name}: {done.stderr.strip() or f'exit status {done.exited}'}", hint=hint)
    return int(done.exited)
