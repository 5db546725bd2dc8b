"""`./inv tunnel.status` and `tunnel.replay`: asked on the host itself, whose inspector answers nobody else.

It runs there as the unit does: as user trading, with its environment file, which systemd reads. No secret is in a
command line, and none comes back: keys in alerts are masked on the host.
"""

from __future__ import annotations

import json as jsonlib
import shlex
import sys
from typing import Any

from ops import deploy as deploying
from ops.errors import OpsError
from ops.inventory import Host
from ops.wire import connect

ROLE = "tunnel"
Json = dict[str, Any]
AS_THE_UNIT = (
    "systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec", "-p", "User=trading",
    "-p", "Group=trading", "-p", "EnvironmentFile=/opt/trading/.env.d/tunnel.env", "-p", "UMask=0077",
    "-E", "PYTHONDONTWRITEBYTECODE=1", "/opt/trading/venv/bin/python", "-P", "-m", "runtime.tunnel",
)  # fmt: skip


def status(host: Host, *, json: bool) -> int:
    """How the tunnel stands, what came through it lately, and whether its URL leads back here; 1 when it does not."""
    found: Json = {"host": host.name} | _ask(host, "status")
    sys.stdout.write((jsonlib.dumps(found) if json else "\n".join(_lines(found))) + "\n")
    return 0 if (found["tunnel"] or {}).get("state") == "up" and found["probe"]["ok"] is not False else 1


def replay(host: Host, number: str) -> None:
    """Have ngrok's agent send a kept request to the webhook again."""
    _ask(host, "replay", number)
    sys.stdout.write(f"{host.name}: {number} was sent to the webhook again\n")


def _ask(host: Host, *words: str) -> Json:
    if ROLE not in host.roles:
        raise OpsError(f"{host.name} has no role {ROLE}", hint="add it: roles/tunnel/README.md")
    connection = connect(deploying.target_of(host))
    try:
        sudo = [] if connection.user == "root" else ["sudo", "-n"]
        done = connection.run(shlex.join([*sudo, *AS_THE_UNIT, *words]), hide=True, warn=True, in_stream=False)
    finally:
        connection.close()
    try:
        said: Json = jsonlib.loads(done.stdout)
    except ValueError:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.exited}"])[-1]
        raise OpsError(f"{host.name}: {why}", hint=f"./inv deploy --host {host.name}") from None
    if "error" in said:
        raise OpsError(f"{host.name}: {said['error']}", hint=said.get("hint"))
    return said


def _lines(found: Json) -> list[str]:
    """For people."""
    tunnel = found["tunnel"]
    lines = [f"{found['host']}: {_standing(tunnel)}", f"  url    {found['url'] or '-'}", f"  probe  {_proved(found)}"]
    if found["inspector"]:
        lines.append(f"  {found['inspector']}")
    return lines + [_request(one) for one in found["requests"]]


def _standing(tunnel: Json | None) -> str:
    if tunnel is None:
        return "ngrok-tv does not run: ./inv logs --unit ngrok-tv says why"
    words = f"{tunnel['kind']} {tunnel['state']} since {tunnel['since'][:19]}Z"
    why = f": {tunnel['why']}" if tunnel["why"] else ""
    return words + why + (f"\n  -> {tunnel['hint']}" if tunnel["hint"] else "")


def _proved(found: Json) -> str:
    proved = found["probe"]
    if proved["ok"]:
        return "the URL leads to this host's webhook"
    return f"{'not asked' if proved['ok'] is None else 'FAILED'}: {proved['why']}"


def _request(one: Json) -> str:
    status = one["status"] if one["status"] is not None else "none"
    asked = f"{one['method']} {one['path']}"
    return f"  {one['id']}  {one['at'][:19]}  {one['from']:15}  {asked}  {status}  {one['body'][:80]}"
