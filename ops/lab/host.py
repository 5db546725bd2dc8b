"""What this checkout knows of its lab hosts, read without privileges and in well under a millisecond."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from ops.errors import UsageError
from ops.paths import LAB, ROOT


@dataclass(frozen=True)
class LabHost:
    """A running lab host, as an SSH client needs it; `tree` is its root directory on this machine (for root only)."""

    name: str
    address: str
    port: int
    user: str
    key: Path
    known_hosts: Path
    tree: Path

    def answers(self) -> bool:
        """Whether something listens on its SSH port right now."""
        try:
            with socket.create_connection((self.address, self.port), timeout=1):
                return True
        except OSError:
            return False


@dataclass(frozen=True)
class Files:
    """Where a host's client side is kept: .lab/NAME/."""

    name: str

    @property
    def folder(self) -> Path:
        return LAB / self.name

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def state(self) -> Path:
        """host.json: written last by `up`, so that its being there means the host had booted."""
        return self.folder / "host.json"


def machine_id(name: str) -> str:
    """The host's name on this machine: two checkouts may each have a host called `lab`."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]|[a-z]", name):
        raise UsageError(
            f"{name!r} cannot be a lab host's name",
            hint="a host name: small letters, digits and dashes, at most 32, starting with a letter",
        )
    return f"{name}-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}"


def info(name: str) -> LabHost | None:
    """The running host of that name; None if there is none, or it is not running."""
    files = Files(name)
    machine_id(name)
    try:
        state = json.loads(files.state.read_text())
        if started_at(int(state["pid"])) != state["started"]:
            return None
        return LabHost(name, state["address"], 22, "root", files.key, files.known_hosts, Path(state["tree"]))
    except (OSError, ValueError, KeyError):
        return None


def hosts() -> tuple[LabHost, ...]:
    """This checkout's running hosts, by name."""
    names = sorted(path.parent.name for path in LAB.glob("*/host.json"))
    return tuple(host for host in map(info, names) if host)


def started_at(pid: int) -> str:
    """A process's start time in clock ticks since boot, which tells it from a later one with the same number.

    Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold blanks and brackets, so count from its end.
    Raises OSError when there is no such process.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if fields[0] in "ZX":
        raise ProcessLookupError(pid)
    return fields[19]
