"""The agents that a tunnel can be made by: how each is started, and how its log is read.

Sources: ngrok's agent documentation (configuration version 3, log format, inspector API), cloudflared's "run
parameters", tailscale's "tailscale funnel".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Words = tuple[str, ...]
_URL = re.compile(r"https?://[^\s\"'<>|]+")


@dataclass(frozen=True)
class Line:
    """What one line of an agent's log says: `up` (reached by the outside now), `down`, or neither; `url` where told."""

    text: str
    up: bool = False
    down: bool = False
    error: bool = False
    url: str = ""


@dataclass(frozen=True)
class Kind:
    """`arguments`: after the program's name, from (credential file, upstream URL, public URL)."""

    name: str
    program: str
    arguments: Callable[[str, str, str], Words]
    read: Callable[[str], Line]
    inspector: str = ""


def _ngrok(line: str) -> Line:
    """One JSON object; an agent that cannot start writes plain text."""
    said = _object(line)
    if said is None:
        return Line(line, error="ERROR" in line)
    message, error = str(said.get("msg", "")), str(said.get("err", ""))
    failed = said.get("lvl") in ("eror", "crit", "error") and error not in ("", "nil", "<nil>")
    return Line(
        f"{message}: {error}" if failed else message,
        up=message in ("started tunnel", "client session established"),
        down=message.startswith(("session closed", "failed to reconnect")),
        error=failed,
        url=str(said.get("url", "")) if message == "started tunnel" else "",
    )


def _cloudflared(line: str) -> Line:
    return Line(
        line,
        up="Registered tunnel connection" in line,
        down="Unregistered tunnel connection" in line or "Lost connection" in line,
        error=" ERR " in line,
    )


def _tailscale(line: str) -> Line:
    """`tailscale funnel` tells the address once it is served."""
    found = _URL.search(line)
    return Line(line, up=found is not None, error="error" in line.lower(), url=found[0].rstrip("/") if found else "")


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "ngrok",
            "ngrok",
            lambda secret, upstream, url: (
                "start", "--all", "--config", secret, "--log", "stdout", "--log-format", "json",
            ),
            _ngrok,
            "http://127.0.0.1:4040",
        ),
        Kind(
            "cloudflared",
            "cloudflared",
            lambda secret, upstream, url: ("tunnel", "--no-autoupdate", "run", "--token-file", secret),
            _cloudflared,
        ),
        Kind("tailscale", "tailscale", lambda secret, upstream, url: ("funnel", upstream), _tailscale),
    )
}  # fmt: skip
