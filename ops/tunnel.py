"""`./inv tunnel.status` and `tunnel.replay`: asked on the host itself, whose inspector answers nobody else.

Keys in alerts are masked on the host.
"""

from __future__ import annotations

import json as jsonlib
import sys
from typing import Any

from ops import as_service
from ops.errors import OpsError
from ops.inventory import Host

ROLE = "tunnel"
Json = dict[str, Any]
ENVIRONMENT = "/opt/trading/.env.d/tunnel.env"


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
    done = as_service.run(host, ENVIRONMENT, "runtime.tunnel", *words)
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
