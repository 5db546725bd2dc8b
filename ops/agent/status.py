"""How a host is doing, read and not touched: its units, its release, its last deploy, its checks, its disk."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from . import health, systemd
from .host import LOGS, HostError

LARGEST = 1 << 16
"""Of what a service may say of itself."""


def look(document: dict[str, Any]) -> dict[str, Any]:
    """{"units", "checks", "release", "last", "disk", "up", "told"} of this host."""
    names = [item["want"]["name"] for item in document["resources"] if item["kind"] == "unit"]
    units = [_unit(name, shown) for name, shown in systemd.show(names).items()]
    return {
        "units": units,
        "checks": [_check(check) for check in document["checks"]],
        "release": _release(document),
        "last": _last_run(),
        "disk": _disk(),
        "up": float(Path("/proc/uptime").read_text().split()[0]),
        "told": {one["name"]: _told(Path(one["file"])) for one in document["looks"] if one["file"]},
    }


def _told(path: Path) -> Any:
    """What a service says of itself in a small file of JSON; None where it says nothing."""
    try:
        with path.open() as file:
            return json.loads(file.read(LARGEST))
    except (OSError, ValueError):
        return None


def _unit(name: str, shown: dict[str, str]) -> dict[str, Any]:
    started = int(shown.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
    is_up = shown.get("ActiveState") == "active" and started
    return {
        "name": name,
        "state": shown.get("ActiveState", "?"),
        "sub": shown.get("SubState", "?"),
        "condition": systemd.state(shown, "")["condition"],
        "enabled": shown.get("UnitFileState", ""),
        "restarts": int(shown.get("NRestarts") or 0),
        "seconds": round(time.monotonic() - started) if is_up else None,
        "memory": _resident(shown.get("MainPID", "0")),
    }


def _resident(pid: str) -> int:
    """Bytes of resident memory; 0 for what has no process. cgroup accounting is not on everywhere."""
    try:
        status = Path(f"/proc/{int(pid)}/status").read_text()
    except (OSError, ValueError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)


def _check(check: dict[str, Any]) -> dict[str, str]:
    try:
        health.wait({**check, "within": 1})
    except HostError as error:
        return {"name": health.describe(check), "result": "failed", "why": str(error)}
    return {"name": health.describe(check), "result": "ok"}


def _release(document: dict[str, Any]) -> str:
    roots = [item["want"]["root"] for item in document["resources"] if item["kind"] == "release"]
    links = [Path(root) / "venv" for root in roots]
    return next((link.readlink().name for link in links if link.is_symlink()), "")


def _last_run() -> dict[str, Any]:
    """The end of the newest finished run in the audit log."""
    try:
        lines = (LOGS / "audit.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return {}
    ends = [json.loads(line) for line in lines[-200:] if '"end"' in line]
    begins = {entry["run"]: entry for line in lines[-200:] if '"begin"' in line for entry in [json.loads(line)]}
    return {**ends[-1], "who": begins.get(ends[-1]["run"], {}).get("who", "?")} if ends else {}


def _disk() -> list[dict[str, Any]]:
    usage = shutil.disk_usage("/")
    return [{"path": "/", "free": usage.free, "total": usage.total}]
