"""Measures miner-monitor on this machine, shows a table, keeps the samples in .cache/bench-monitor.json.

`python -P -m benchmarks.monitor [start resting crowd unplug]` in the tests' environment, or `./inv bench --only
monitor`. Exits 1 when a target is missed. cgminer is the tests' fake, in a process of its own; the bus and the control
groups are trees of files.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.figures import Figure, median
from benchmarks.runtime.services import Service
from ops.paths import CACHE, ROOT

FILE = CACHE / "bench-monitor.json"
STICKS, CROWD, UNITS = 20, 1000, 200
RESTING_SECONDS, WARM_SECONDS = 60.0, 12.0
STARTS, CYCLES, UNPLUGS = 7, 12, 20


def start() -> Iterator[Figure]:
    """From exec to ready, with a store that is there already."""
    with _world(STICKS) as (folder, environ):
        times, worked = list[float](), list[float]()
        for _ in range(STARTS + 1):
            begun = time.perf_counter()
            with _monitor(folder, environ) as service:
                times.append(time.perf_counter() - begun)
                worked.append(service.cpu())
    first = f"the first, which makes the store, {times[0]:.2f} s"
    yield median("start, to ready", times[1:], "s", target=1.5, note=first)
    yield median("of that, processor time", worked[1:], "s")


def resting() -> Iterator[Figure]:
    """20 sticks at 5 s: memory, and processor time of one core."""
    with _world(STICKS) as (folder, environ):
        with _monitor(folder, environ):
            time.sleep(3)
        with _monitor(folder, environ) as service:
            time.sleep(WARM_SECONDS)
            before, begun = service.cpu(), time.monotonic()
            time.sleep(RESTING_SECONDS)
            used = (service.cpu() - before) / (time.monotonic() - begun) * 100
            for path in ("/api/monitor", "/api/miner", "/metrics", "/miner"):
                urllib.request.urlopen(service.url + path, timeout=30).read()
            now, most = service.memory()
    yield Figure("processor, 20 sticks at 5 s", used, "%", 0.5, note=f"of one core, over {RESTING_SECONDS:g} s")
    yield Figure("memory (VmHWM)", most, "MB", 60, note=f"VmRSS {now:.1f} MB, pages and /metrics served")


def crowd() -> Iterator[Figure]:
    """1,000 sticks and 200 units on one monitor: a whole cycle, from asking everybody to the commit."""
    with _world(CROWD) as (folder, environ):
        names = [f"unit-{number}.service" for number in range(UNITS)]
        environ |= {"MONITOR_UNITS": ",".join(names)}
        _systemd(folder, names)
        took, judged = asyncio.run(_cycles(folder, environ))
    yield median(
        "1,000 sticks, 200 units: one cycle", took, "ms", target=250, note="processor time, collectors included"
    )
    yield median("of that, judging and remembering", judged, "ms")


def unplug() -> Iterator[Figure]:
    """From the bus to the API: without udev, by looking each second."""
    with _world(STICKS) as (folder, environ), _monitor(folder, environ) as service:
        time.sleep(7)
        link = folder / "usb/sys/bus/usb/devices/1-1.1"
        target, times = link.readlink(), list[float]()
        for number in range(UNPLUGS):
            link.unlink() if number % 2 == 0 else link.symlink_to(target)
            begun = time.perf_counter()
            while _present(service) is not (number % 2 == 1):
                time.sleep(0.01)
            times.append(time.perf_counter() - begun)
            time.sleep(0.13 * (number % 7))
    yield median("unplug or plug, to the API (polling)", times, "s", target=1.5)


MEASURES: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "start": start,
    "resting": resting,
    "crowd": crowd,
    "unplug": unplug,
}


def main(names: list[str]) -> int:
    if strange := set(names) - set(MEASURES):
        print(f"bench: no measurement {', '.join(sorted(strange))}; there are {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    on, found = figures.machine(), list[Figure]()
    for name in names or MEASURES:
        print(f"bench: {name}: {(MEASURES[name].__doc__ or '').splitlines()[0]}", file=sys.stderr, flush=True)
        found += MEASURES[name]()
    figures.show(found, on, FILE)
    figures.save(found, on, FILE)
    return 1 if any(figure.met is False for figure in found) else 0


def _present(service: Service) -> bool:
    return bool(next(one for one in service.get("/api/miner")["sticks"] if one["key"] == "10001")["present"])


async def _cycles(folder: Path, environ: dict[str, str]) -> tuple[list[float], list[float]]:
    """Milliseconds of this process's time for each cycle after the first, and of each cycle's judging."""
    from miner.actions import Policy
    from miner.alerts import rules, tables
    from miner.monitor.app import Monitor
    from miner.monitor.collect.units import Units
    from miner.monitor.settings import load
    from runtime.store import Store

    settings = load(environ)
    monitor = Monitor(
        settings, Store(Path(environ["TRADING_STATE_DIR"]) / "monitor.db", tables.SCHEMA), rules.DEFAULTS, Policy()
    )
    collectors = [one for one in monitor.collectors if not isinstance(one, Units)]
    collectors.append(Units(settings.watched.units, folder / "cgroup", str(folder / "systemctl")))
    took, judged = list[float](), list[float]()
    for _ in range(CYCLES + 1):
        begun = time.process_time()
        for collector in collectors:
            monitor.board.put(await collector.collect())
        between = time.process_time()
        await monitor.pulse.beat(whole=True)
        took.append((time.process_time() - begun) * 1000)
        judged.append((time.process_time() - between) * 1000)
    assert len(monitor.board.latest) > 5 * CROWD
    return took[1:], judged[1:]


@contextmanager
def _world(sticks: int) -> Iterator[tuple[Path, dict[str, str]]]:
    """A bus with so many sticks, and a cgminer that mines with them."""
    from tests.miner.usb_kit import Bus, Plug

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "state").mkdir()
        bus = Bus(folder / "usb")
        for number in range(sticks):
            port = f"1-1.{number + 1}" if sticks < 100 else f"1-1.{number // 100 + 1}.{number % 100 + 1}"
            bus.plug(Plug(port, str(10001 + number), number=number + 1, driver="usbfs"))
        command = [sys.executable, "-m", "tests.fakes.cgminer", "--port", "0", "--sticks", str(sticks)]
        cgminer = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield folder, _environ(folder, _port(cgminer))
        finally:
            cgminer.kill()
            cgminer.communicate()


def _port(cgminer: subprocess.Popen[str]) -> str:
    assert cgminer.stdout is not None
    found = re.search(r"(\d{4,5})", cgminer.stdout.readline())
    assert found, "the fake cgminer does not say where it listens"
    return found[1]


def _environ(folder: Path, port: str) -> dict[str, str]:
    return {
        "TRADING_STATE_DIR": str(folder / "state"),
        "LISTEN_PORT": "0",
        "OPS_ADMIN_KEY": "ops-key-of-the-benchmark",
        "MONITOR_CGMINER": f"127.0.0.1:{port}",
        "MONITOR_SYSFS": str(folder / "usb/sys"),
        "MONITOR_DEV": str(folder / "usb/dev"),
        "MONITOR_MINER_USER": "root",
        "MALLOC_ARENA_MAX": "1",
    }


@contextmanager
def _monitor(folder: Path, environ: dict[str, str]) -> Iterator[Service]:
    log = folder / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "miner.monitor"]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stdout=out, stderr=out)
    try:
        while not (found := re.search(r"ready on \('127.0.0.1', (\d+)\)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.005)
        yield Service(process, f"http://127.0.0.1:{found[1]}", log)
    finally:
        process.terminate()
        process.wait(20)


def _systemd(folder: Path, names: list[str]) -> None:
    """A systemctl that knows these units, each with a control group that is populated."""
    blocks = []
    for name in names:
        group = folder / "cgroup/system.slice" / name
        group.mkdir(parents=True)
        (group / "cgroup.events").write_text("populated 1\nfrozen 0\n")
        said: dict[str, Any] = {"Id": name, "LoadState": "loaded", "ActiveState": "active", "SubState": "running"}
        said |= {"Result": "success", "NRestarts": 0, "ControlGroup": f"/system.slice/{name}"}
        blocks.append("\n".join(f"{key}={value}" for key, value in said.items()))
    (folder / "answer").write_text("\n\n".join(blocks) + "\n")
    program = folder / "systemctl"
    program.write_text(f"#!/bin/sh\ncat {folder}/answer\n")
    program.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
