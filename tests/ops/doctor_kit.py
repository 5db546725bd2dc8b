"""A host that is well, as its agent tells it, and what doctor makes of it when something is changed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ops.doctor import run
from ops.doctor.finding import Finding
from ops.inventory import Host

NOW = 1_790_000_000.0
AT = "2026-09-21T14:13:20Z"
HOST = Host("rig", "10.0.0.1", roles=("base", "webhook", "perf"))
UNITS = ("perf.service", "tv-webhook.service")
DOCUMENT = {
    "resources": [
        *({"kind": "unit", "want": {"name": name, "running": True, "enabled": True}} for name in UNITS),
        {"kind": "release", "want": {"root": "/opt/trading"}},
    ],
}


def unit(name: str, **more: Any) -> dict[str, Any]:
    plain = {"state": "active", "sub": "running", "condition": True, "enabled": "enabled", "restarts": 0}
    return {"name": name, **plain, "seconds": 9000, **more}


def sink(**more: Any) -> dict[str, Any]:
    return {"pending": 0, "lag_sec": 0.0, "error": None, "failing_since": None, "dead": 0, **more}


def mount(**more: Any) -> dict[str, Any]:
    plain = {"path": "/", "free": 5e10, "total": 1e11, "inodes": 1000, "inodes_free": 900, "read_only": False}
    return {**plain, **more}


TUNNEL = {
    "kind": "ngrok", "state": "up", "since": AT, "url": "https://a.example", "code": "", "why": "", "hint": "",
    "restarts": 0,
}  # fmt: skip
NODE = {
    "at": AT, "node": "dag", "docker": "up", "why": "", "container": {"state": "running"},
    "disk": {"bytes": 1e9, "budget_bytes": 2e9}, "rpc": {"state": "up", "height": 5, "peers": 3},
}  # fmt: skip
WELL: dict[str, Any] = {
    "now": NOW,
    "facts": {"os": "debian 12", "arch": "x86_64", "python": "3.11"},
    "clock": {"synchronised": True, "ntp": True},
    "container": "",
    "mounts": [mount()],
    "memory": {"total": 8e9, "available": 4e9, "swap": 0, "swap_free": 0, "killed": 0},
    "failed": [],
    "packages": {"interrupted": False, "broken": [], "held": [], "at_work": False},
    "kernel": {"running": "6.1.0-40-amd64", "newest": "6.1.0-40-amd64", "reboot": False},
    "run": {"lock": None, "undo": 0},
    "docker": None,
    "ports": [
        {"port": 8010, "unit": "perf.service", "holders": [{"name": "systemd", "pid": 1, "unit": "systemd"}]},
    ],
    "units": [unit(name) for name in UNITS],
    "checks": [{"name": "http://127.0.0.1:8010/ready should answer 200", "result": "ok"}],
    "release": "0.1.0-abc",
    "last": {"end": "done", "time": AT, "who": "ann@laptop"},
    "told": {"tunnel": TUNNEL, "journal": {"at": AT, "since": None, "code": ""}, "node": NODE},
    "asked": {
        "drift": {"said": {"count": 0, "files": []}, "why": ""},
        "outbox": {"said": {"sinks": {"perf": sink()}}, "why": ""},
        "probe": {"said": {"url": "https://a.example", "inspector": "", "probe": {"ok": True, "why": ""}}, "why": ""},
        "monitor": {"said": {"alerts": []}, "why": ""},
        "miner": {"said": {"advice": [], "sticks": [1], "total": {"ghs": 400}}, "why": ""},
    },
}


def judged(skew: float = 0.0, **changed: Any) -> list[Finding]:
    return list(run.judged(deepcopy(WELL) | changed, DOCUMENT, HOST, skew))


def wrong(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.level != "ok"]
