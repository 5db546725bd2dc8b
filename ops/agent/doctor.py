"""What may be wrong with a host, gathered and not judged: facts for `./inv doctor`. Nothing is changed."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import status, systemd
from .host import RUN, STATE, HostError, facts, run

Facts = dict[str, Any]
REAL = ("btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "vfat", "xfs", "zfs")
"""File systems that fill up. Those over a network are left out: a look at one may hang."""
NOT_OURS = ("/boot/efi", "/proc/", "/run/", "/var/lib/docker/")
SECONDS = 20.0
"""For what a host's own program may take to answer."""
LOG_LINES, NAMED = 3, 20
DOCKER = "/run/docker.sock"


def look(document: dict[str, Any]) -> Facts:
    """All facts; one that cannot be had is null, so that the others still come."""
    with ThreadPoolExecutor() as pool:
        asked = {one["name"]: pool.submit(_asked, document, one) for one in document["looks"] if not one["file"]}
        found = {name: _tried(gather) for name, gather in GATHERED.items()}
        found |= {"ports": _tried(lambda: _ports(document)), **status.look(document)}
        found["asked"] = {name: future.result() for name, future in asked.items()}
    return found | {"now": time.time()}


def _tried(gather: Any) -> Any:
    try:
        return gather()
    except (HostError, OSError, ValueError, KeyError, IndexError):
        return None


def _asked(document: dict[str, Any], one: dict[str, Any]) -> Facts:
    """{"said": JSON or null, "why": why it is null}"""
    try:
        return {"said": _url(one["url"]) if one["url"] else _program(document, one), "why": ""}
    except (HostError, OSError, ValueError, http.client.HTTPException) as error:
        return {"said": None, "why": str(error)[:300] or type(error).__name__}


def _url(url: str) -> Any:
    place, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(place, timeout=5)
    try:
        connection.request("GET", f"/{path}")
        return json.loads(connection.getresponse().read(1 << 20))
    finally:
        connection.close()


def _program(document: dict[str, Any], one: dict[str, Any]) -> Any:
    """A program of the release, with its service's environment, which only systemd may read, and as its user."""
    roots = [item["want"]["root"] for item in document["resources"] if item["kind"] == "release"]
    python = Path(roots[0]) / "venv/bin/python" if roots else None
    if python is None or not python.exists():
        raise HostError("no release is installed")
    words = [str(python), "-P", "-m", one["module"], *one["words"]]
    if one["env"]:
        words = [
            "systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec", "-p", "User=trading",
            "-p", "Group=trading", "-p", f"EnvironmentFile={one['env']}", "-p", "WorkingDirectory=/opt/trading/state",
            "-p", "UMask=0077", "-p", f"RuntimeMaxSec={SECONDS:.0f}", "-E", "PYTHONDONTWRITEBYTECODE=1", *words,
        ]  # fmt: skip
    done = run("env", "PYTHONDONTWRITEBYTECODE=1", *words, timeout=SECONDS, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise HostError(said) from None


def _clock() -> Facts:
    said = run("timedatectl", "show", "-p", "NTP", "-p", "NTPSynchronized").stdout
    found = dict(line.split("=", 1) for line in said.splitlines())
    return {"synchronised": found["NTPSynchronized"] == "yes", "ntp": found["NTP"] == "yes"}


def _container() -> str:
    """Its kind, "" on a machine with a kernel of its own."""
    return run("systemd-detect-virt", "--container", check=False).stdout.strip().replace("none", "")


def _mounts() -> list[Facts]:
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    chosen = {
        device: (path, options)
        for device, path, kind, options, *_ in reversed(lines)
        if kind in REAL and not path.startswith(NOT_OURS) and Path(path).is_dir()
    }
    return [_mount(path.replace("\\040", " "), options) for path, options in reversed(chosen.values())]


def _mount(path: str, options: str) -> Facts:
    info = os.statvfs(path)
    size = {"path": path, "free": info.f_bavail * info.f_frsize, "total": info.f_blocks * info.f_frsize}
    inodes = {"inodes_free": info.f_favail, "inodes": info.f_files}
    return {**size, **inodes, "read_only": "ro" in options.split(",")}


def _memory() -> Facts:
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    killed = re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(), re.M)
    names = {"total": "MemTotal", "available": "MemAvailable", "swap": "SwapTotal", "swap_free": "SwapFree"}
    found = {key: int(lines[name].split()[0]) * 1024 for key, name in names.items()}
    return {**found, "killed": int(killed[1]) if killed else 0}


def _failed() -> list[Facts]:
    """Every failed unit, ours or not, with its result and last words."""
    said = run("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager").stdout
    names = [line.split()[0] for line in said.splitlines() if line.strip()]
    shown = systemd.show(names[:NAMED])
    return [{"name": name, "result": one.get("Result", ""), "log": _log(name)} for name, one in shown.items()]


def _log(unit: str) -> list[str]:
    words = ("journalctl", "-u", unit, "-n", str(LOG_LINES), "--no-pager", "-o", "cat")
    return [line[:200] for line in run(*words, check=False).stdout.strip().splitlines()[-LOG_LINES:]]


def _ports(document: dict[str, Any]) -> list[Facts]:
    """Who listens where services of ours should: by the ports of their checks."""
    wanted = {check["port"]: check["unit"] for check in document["checks"] if check["kind"] == "http"}
    found: list[Facts] = []
    for line in run("ss", "-Hltnp").stdout.splitlines():
        port = int(line.split()[3].rpartition(":")[2])
        if port in wanted:
            held = re.findall(r'\("([^"]+)",pid=(\d+)', line)
            holders = [{"name": name, "pid": int(pid), "unit": _unit_of(int(pid))} for name, pid in held]
            found.append({"port": port, "unit": wanted[port], "holders": holders})
    return found


def _unit_of(pid: int) -> str:
    """systemd itself holds the sockets that it hands to services."""
    try:
        group = Path(f"/proc/{pid}/cgroup").read_text().strip().rpartition("/")[2]
    except OSError:
        return ""
    return "systemd" if pid == 1 else group


def _packages() -> Facts:
    """By dpkg's own words: the second letter is the state, the third says that it must be installed again."""
    said = run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Package}\n").stdout
    pairs = [line.split("\t") for line in said.splitlines() if "\t" in line]
    broken = [name for state, name in pairs if state[1] in "UFHWt" or state[2:3] == "R"]
    updates = Path("/var/lib/dpkg/updates")
    return {
        "interrupted": updates.is_dir() and any(updates.iterdir()),
        "broken": broken[:NAMED],
        "held": [name for state, name in pairs if state[0] == "h"][:NAMED],
        "at_work": _is_locked(Path("/var/lib/dpkg/lock-frontend")),
    }


def _is_locked(path: Path) -> bool:
    """As the kernel lists it: taking the lock to find out could be in somebody's way."""
    if not path.exists():
        return False
    places = [word for line in Path("/proc/locks").read_text().splitlines() for word in line.split() if ":" in word]
    return any(word.endswith(f":{path.stat().st_ino}") for word in places)


def _kernel() -> Facts:
    found = [path.name.removeprefix("vmlinuz-") for path in Path("/boot").glob("vmlinuz-*")]
    newest = max(found, key=_version, default="")
    return {"running": os.uname().release, "newest": newest, "reboot": Path("/run/reboot-required").exists()}


def _version(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"[.+~-]", text)]


def _run() -> Facts:
    """The deploy that is at work, and what one that was interrupted has left."""
    lock, notes = RUN / "lock", STATE / "undo"
    held = _tried(lambda: json.loads(lock.read_text())) if _is_locked(lock) else None
    return {"lock": held, "undo": len(list(notes.glob("[0-9]*.json")))}


class _Docker(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(DOCKER)


def _docker() -> Facts | None:
    """None: there is no Docker here. Source: Docker Engine API, GET /containers/json."""
    if not Path(DOCKER).exists():
        return {"why": "its daemon has no socket"} if shutil.which("dockerd") else None
    connection = _Docker("docker", timeout=5)
    try:
        connection.request("GET", "/containers/json?all=1")
        said = json.loads(connection.getresponse().read(1 << 20))
    except (OSError, http.client.HTTPException) as error:
        return {"why": f"it does not answer: {error}"}
    finally:
        connection.close()
    names = ("Names", "State", "Status", "Image")
    return {"why": "", "containers": [{name.lower(): one.get(name) for name in names} for one in said][:NAMED]}


GATHERED = {
    "facts": facts, "clock": _clock, "container": _container, "mounts": _mounts, "memory": _memory, "failed": _failed,
    "packages": _packages, "kernel": _kernel, "run": _run, "docker": _docker,
}  # fmt: skip
