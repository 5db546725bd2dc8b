"""systemd's units, for nearly nothing.

`systemctl show` costs 7 ms and a process. A unit that runs has a control group with processes in it, so a look is one
short file for each unit; systemctl is asked for all at once when a group changed, and once a minute for the rest (how
often it was started anew, and units that are active without a process).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from miner.monitor.collect.rates import PerHour
from miner.monitor.schedule import Collector
from miner.readings import Reading
from runtime import clock

CGROUPS = Path("/sys/fs/cgroup")
ASK_SECONDS = 60.0
PROPERTIES = ("Id", "LoadState", "ActiveState", "SubState", "Result", "NRestarts", "ControlGroup")


@dataclass(frozen=True, slots=True)
class Shown:
    """What systemctl said of a unit. `group` is its control group, or the one that it will have."""

    loaded: bool
    active: bool
    said: str
    restarts: int
    group: str


class Units(Collector):
    name, every, timeout = "units", 5.0, 10.0

    def __init__(self, names: tuple[str, ...], cgroups: Path = CGROUPS, systemctl: str = "systemctl") -> None:
        self._names = names
        self._root = _hierarchy(cgroups)
        self._systemctl = systemctl
        self._groups: dict[str, tuple[int, bool] | None] = {}
        self._asked = -ASK_SECONDS
        self._restarts = PerHour()
        self.shown: dict[str, Shown] = {}

    async def collect(self) -> list[Reading]:
        if not self._names:
            return []
        seen = {name: self._look(one.group) for name, one in self.shown.items()}
        due = clock.steady() - self._asked >= ASK_SECONDS
        if due or seen != self._groups or any(self._is_moving(name) for name in self.shown):
            found = await show(self._names, self._systemctl)
            self.shown = {name: self._with_group(name, one) for name, one in found.items()}
            self._asked = clock.steady()
            self._groups = {name: self._look(one.group) for name, one in self.shown.items()}
        return [one for name in self._names for one in self._readings(name)]

    def _with_group(self, name: str, one: Shown) -> Shown:
        """One that is stopped has no group that would show its start: it will have the one it had, or the usual one."""
        before = self.shown.get(name)
        return replace(one, group=one.group or (before.group if before else "") or f"/system.slice/{name}")

    def _is_moving(self, name: str) -> bool:
        """Between two states, or waiting to be started again: no group tells how that ends."""
        return self.shown[name].said.split(" ")[0] in ("activating", "deactivating", "reloading")

    def _look(self, group: str) -> tuple[int, bool] | None:
        """Which group it is (another one after a restart) and whether a process is in it."""
        if not group or self._root is None:
            return None
        folder = self._root / group.lstrip("/")
        try:
            number = folder.stat().st_ino
            events = folder / "cgroup.events"
            text = events.read_text() if events.exists() else ""
            return number, "populated 1" in text if text else bool((folder / "cgroup.procs").read_bytes())
        except OSError:
            return None

    def _readings(self, name: str) -> list[Reading]:
        one = self.shown.get(name)
        if one is None or not one.loaded:
            return [Reading("unit.active", name, None, "systemd knows no such unit")]
        return [
            Reading("unit.active", name, float(one.active), one.said),
            Reading("unit.restarts_per_hour", name, self._restarts.of(name, one.restarts)),
        ]


async def show(names: tuple[str, ...], systemctl: str = "systemctl") -> dict[str, Shown]:
    """All units in one question. Raises OSError when systemd cannot be asked."""
    command = (systemctl, "show", "--property", ",".join(PROPERTIES), "--", *names)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode:
        raise OSError(err.decode(errors="replace").strip() or f"systemctl ended with {process.returncode}")
    blocks = out.decode(errors="replace").strip().split("\n\n")
    return {name: _shown(_fields(block)) for name, block in zip(names, blocks, strict=False)}


def _fields(block: str) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in block.splitlines())
    return {name: value for name, _, value in pairs}


def _shown(found: Mapping[str, str]) -> Shown:
    state, result = found.get("ActiveState", ""), found.get("Result", "success")
    said = f"{state} ({found.get('SubState', '')})" + ("" if result in ("success", "") else f": {result}")
    restarts = found.get("NRestarts", "0")
    active = state in ("active", "reloading", "refreshing")
    count = int(restarts) if restarts.isdecimal() else 0
    return Shown(found.get("LoadState") != "not-found", active, said, count, found.get("ControlGroup", ""))


def _hierarchy(cgroups: Path) -> Path | None:
    """Where systemd's groups are: version 2 alone, or beside version 1."""
    for place in (cgroups, cgroups / "unified", cgroups / "systemd"):
        if (place / "system.slice").is_dir() or (place / "init.scope").is_dir():
            return place
    return None
