"""The machine itself, by psutil and the kernel's own files."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from miner.monitor.schedule import Blocking, Collector
from miner.readings import Reading

PROC, SYS = Path("/proc"), Path("/sys")


class Host(Collector):
    """Processor, memory, load, kills for want of memory: a few of the kernel's files, which never block."""

    name, every, timeout = "host", 5.0, 2.0

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._busy = _busy()
        self._kills: int | None = None

    async def collect(self) -> list[Reading]:
        memory = psutil.virtual_memory()
        found = [
            Reading("host.memory_ratio", "", 1 - memory.available / memory.total),
            Reading("host.load_ratio", "", os.getloadavg()[1] / (os.cpu_count() or 1)),
        ]
        return [*found, *self._processor(), *self._oom()]

    def _processor(self) -> list[Reading]:
        before, self._busy = self._busy, _busy()
        (worked, total), (worked_before, total_before) = self._busy, before
        passed = total - total_before
        return [Reading("host.cpu_ratio", "", max(0.0, (worked - worked_before) / passed))] if passed > 0 else []

    def _oom(self) -> list[Reading]:
        """Counted since boot by the kernel; those before the first look are not told: nobody knows when they were."""
        kills = next((int(line[9:]) for line in _lines(self._proc / "vmstat") if line.startswith("oom_kill ")), None)
        if kills is None:
            return []
        since, self._kills = kills - (self._kills if self._kills is not None else kills), kills
        return [Reading("host.oom_kills", "", float(max(0, since)))]


class Disks(Blocking):
    """Space and inodes. A network file system may hang, so from a thread."""

    name, every, timeout = "disks", 30.0, 10.0

    def __init__(self, mounts: tuple[str, ...]) -> None:
        super().__init__()
        self._mounts = mounts

    def measure(self) -> list[Reading]:
        return [one for mount in self._mounts for one in _disk(mount)]


class Sensors(Blocking):
    """Temperatures, and whether the power supply holds its voltage. Some sensors answer slowly, so from a thread."""

    name, every, timeout = "sensors", 15.0, 10.0

    def __init__(self, sysfs: Path = SYS) -> None:
        super().__init__()
        self._sysfs = sysfs

    def measure(self) -> list[Reading]:
        hottest = dict[str, float]()
        for chip, sensors in psutil.sensors_temperatures().items():
            for number, one in enumerate(sensors):
                name = one.label or (chip if len(sensors) == 1 else f"{chip} {number}")
                hottest[name] = max(one.current, hottest.get(name, -273.0))
        found = [Reading("host.temperature_c", name, value) for name, value in hottest.items() if value > -40]
        return [*found, *self._voltage()]

    def _voltage(self) -> list[Reading]:
        """The Raspberry Pi's firmware tells it through hwmon (the kernel's raspberrypi-hwmon): 1 is too low."""
        for chip in sorted((self._sysfs / "class/hwmon").glob("hwmon*")):
            if _text(chip / "name") == "rpi_volt":
                low = _text(chip / "in0_lcrit_alarm") == "1"
                return [Reading("host.undervoltage", "", 0.0 if low else 1.0)]
        return []


def _busy() -> tuple[float, float]:
    """Seconds of work and seconds in all, of all processors since boot; what a hypervisor took is work here too."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total - idle, total


def _disk(mount: str) -> list[Reading]:
    """As an ordinary user has it: what is reserved for root is not free. Some file systems count no inodes."""
    try:
        found = os.statvfs(mount)
    except OSError as error:
        why = error.strerror or str(error)
        return [Reading(name, mount, None, why) for name in ("disk.free_ratio", "disk.inodes_free_ratio")]
    usable = found.f_blocks - found.f_bfree + found.f_bavail
    free = f"{found.f_bavail * found.f_frsize / 1e9:.1f} GB"
    space = [Reading("disk.free_ratio", mount, found.f_bavail / usable, free)] if usable else []
    inodes = [Reading("disk.inodes_free_ratio", mount, found.f_favail / found.f_files)] if found.f_files else []
    return space + inodes


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
