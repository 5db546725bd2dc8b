"""`./inv github.setup` and `github.check`: a host's key at GitHub, and what GitHub says to it."""

from __future__ import annotations

import shlex
import sys
from typing import Any

from ops import deploy as deploying
from ops import github_api
from ops.errors import OpsError
from ops.inventory import Host
from ops.report import Report, show
from ops.wire import connect

ROLE = "github_ssh"
CHECK = ("/opt/trading/venv/bin/python", "-P", "-m", "runtime.journal.check", "/opt/trading/journal.md")


def setup(host: Host, token: str) -> None:
    """The host has its key, and a person knows where to paste it; with a token it is added to the repository."""
    report = Report()
    c: Any = _config(host, report)
    public = _public_key(host, c)
    if not public:
        _deploy(host, report)
        public = _public_key(host, c)
    token = token or (c.github_token.get_secret_value() if c.github_token else "")
    _say(f"{host.name}: the public key of {c.key} (the private one never leaves the host)\n\n{public}\n")
    if token:
        report.redact({"github_token": token})
        added = github_api.add_key(c.api_url, c.slug, token, f"trading-ops@{host.name}", public)
        _say(f"{host.name}: {'added to' if added else 'already among the keys of'} {c.slug}, with write access")
    else:
        _say(_where(c))
    _say(f"then: ./inv github.check --host {host.name}")


def check(host: Host, *, json: bool) -> int:
    """What ssh and the remote say, asked on the host itself; 1 when something must be done."""
    _config(host, Report())
    done = _run(host, [*CHECK, *(["--json"] if json else [])])
    if done.exited not in (0, 1) or not done.stdout:
        hint = f"./inv deploy --host {host.name}, with the role logbook"
        raise OpsError(f"{host.name}: {done.stderr.strip() or 'it cannot be asked'}", hint=hint)
    sys.stdout.write(done.stdout)
    return int(done.exited)


def _config(host: Host, report: Report) -> Any:
    if ROLE not in host.roles:
        hint = f"add {ROLE} to its roles and its settings to inventory.yaml: roles/{ROLE}/README.md"
        raise OpsError(f"{host.name} has no role {ROLE}", hint=hint)
    return deploying.resolved(host, report)[ROLE]


def _public_key(host: Host, c: Any) -> str:
    """Empty when there is no key yet."""
    key = shlex.quote(c.key)
    script = f"test -f {key} || exit 0; cat {key}.pub 2>/dev/null || ssh-keygen -y -P '' -f {key}"
    done = _run(host, ["sh", "-c", script])
    if done.exited:
        hint = "has it a passphrase? services cannot type one"
        raise OpsError(f"{host.name}: {c.key}: {done.stderr.strip()}", hint=hint)
    return str(done.stdout).strip()


def _deploy(host: Host, report: Report) -> None:
    results = deploying.deploy([host], report, mode="apply", only=ROLE, why=f"deploy --role {ROLE}")
    if deploying.exit_code(results, "apply"):
        show(results, mode="apply", diffs=False)
        raise OpsError(f"{host.name}: the role {ROLE} could not be deployed", hint=f"./inv deploy --host {host.name}")


def _run(host: Host, words: list[str]) -> Any:
    connection = connect(deploying.target_of(host))
    try:
        sudo = [] if connection.user == "root" else ["sudo", "-n"]
        return connection.run(shlex.join([*sudo, *words]), hide=True, warn=True, in_stream=False)
    finally:
        connection.close()


def _where(c: Any) -> str:
    base = f"https://{c.host}"
    return (
        f'paste it at {base}/{c.slug}/settings/keys/new and tick "Allow write access" (this repository only),\n'
        f"or at {base}/settings/ssh/new (everything that is yours)"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
