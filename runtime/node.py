"""How this host's BlockDAG node stands, for a page: root's probe leaves a file that all may read (docs/nodes.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime import clock
from runtime.convert import Language

PATH = Path("/run/blockdag/probe.json")
LARGEST = 1 << 16
STALE_SECONDS = 90.0
"""What is older than this is not known any more: the probe looks every 15 s."""
Json = dict[str, Any]

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "figures": "block {height}, {peers} peers, {lag} behind", "syncing": "fetches the chain: {figures}",
        "stopped": "does not run", "unknown": "not looked at since {at}",
    },
    "fr": {
        "figures": "bloc {height}, {peers} pairs, {lag} de retard", "syncing": "récupère la chaîne : {figures}",
        "stopped": "ne tourne pas", "unknown": "pas observé depuis {at}",
    },
}  # fmt: skip


def read(path: Path) -> Json | None:
    """What the probe found last; None: there is no node here."""
    try:
        with path.open() as file:
            found = json.loads(file.read(LARGEST))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def shown(found: Json, language: Language) -> Json:
    """`name`, `ok`, `at`, `says`: its figures, or what is wrong. Reasons are the probe's own, in English."""
    words = _WORDS[language]
    told = {"name": str(found.get("node") or "blockdag"), "at": str(found.get("at") or "")}
    if _age(told["at"]) > STALE_SECONDS:
        return told | {"ok": False, "says": words["unknown"].format(at=told["at"][:19] or "–")}
    container, rpc = found.get("container") or {}, found.get("rpc") or {}
    if container.get("state") != "running" or rpc.get("state") != "up":
        return told | {"ok": False, "says": found.get("why") or words["stopped"]}
    figures = words["figures"].format(**{name: _known(rpc.get(name)) for name in ("height", "peers", "lag")})
    is_behind = bool(rpc.get("syncing") or found.get("initial_download"))
    return told | {"ok": True, "says": words["syncing"].format(figures=figures) if is_behind else figures}


def _age(at: str) -> float:
    try:
        return abs((clock.now() - clock.from_iso(at)).total_seconds())
    except (ValueError, TypeError):
        return float("inf")


def _known(value: Any) -> str:
    return "?" if value is None else str(value)
