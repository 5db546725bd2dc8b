"""Measures miner-monitor on this machine, shows a table, keeps the samples in .cache/bench-monitor.json.

`python -P -m benchmarks.monitor [start resting crowd unplug told hung]` in the tests' environment, or `./inv bench
--only monitor`. Exits 1 when a target is missed. cgminer is the tests' fake, in a process of its own; the bus and the
control groups are trees of files.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
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
STARTS, CYCLES, UNPLUGS, HANGS = 7, 12, 20, 3
STEADY = '{"flapping": null, "miner.api_down": {"clear_for": "1s"}}'
"""One stick is unplugged again and again here, and one miner hangs, which on a host would be told as flapping."""


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


def told() -> Iterator[Figure]:
    """From the bus to Telegram's API: monitor, webhook's store, tv-telegram, all as they are shipped."""
    with _phone() as (folder, _, phone):
        gone, back = _unplugged_and_told(folder, phone)
    for name, times, most in (("unplugged", gone, 2), ("back", back, 7)):
        late = sorted(times)[int(len(times) * 0.95) - 1]
        middle = sorted(times)[len(times) // 2]
        note = f"median {middle:.2f} s, slowest {max(times):.2f} s; polling, no udev"
        yield Figure(f"stick {name}, to Telegram: p95 of {len(times)}", late, "s", most, note=note)


def hung() -> Iterator[Figure]:
    """From a cgminer that hangs to Telegram's API."""
    with _phone() as (_, environ, phone):
        times = [_hung_and_told(environ["BENCH_CGMINER"], phone) for _ in range(HANGS)]
    yield Figure("cgminer hangs, to Telegram: the slowest", max(times), "s", 15, note=f"of {HANGS}")


@contextmanager
def _phone() -> Iterator[tuple[Path, dict[str, str], Any]]:
    """A world that is watched, and what people get of it."""
    from tests.fakes.telegram import Telegram

    with _world(STICKS) as (folder, environ):
        (folder / "rules.json").write_text(STEADY)
        environ |= {"MONITOR_RULES": str(folder / "rules.json"), "UI_LANGUAGE": "en"}
        phone = Telegram().start()
        with _monitor(folder, environ), _bot(environ, phone.url):
            time.sleep(10)
            yield folder, environ, phone
        phone.stop()


def _unplugged_and_told(folder: Path, phone: Any) -> tuple[list[float], list[float]]:
    link = folder / "usb/sys/bus/usb/devices/1-1.1"
    target, gone, back = link.readlink(), list[float](), list[float]()
    for number in range(UNPLUGS):
        time.sleep(3 + 0.13 * (number % 7))
        gone.append(_until_told(phone, link.unlink))
        time.sleep(1 + 0.37 * (number % 14))  # at any moment of the monitor's five seconds
        back.append(_until_told(phone, lambda: link.symlink_to(target)))
    return gone, back


def _hung_and_told(pid: str, phone: Any) -> float:
    os.kill(int(pid), signal.SIGSTOP)
    took = _until_told(phone, lambda: None)
    _until_told(phone, lambda: os.kill(int(pid), signal.SIGCONT))
    time.sleep(5)
    return took


def _until_told(phone: Any, change: Callable[[], object]) -> float:
    """Seconds until the next message."""
    before, begun = len(phone.sent), time.perf_counter()
    change()
    while len(phone.sent) == before:
        assert time.perf_counter() - begun < 60, "nothing is told"
        time.sleep(0.005)
    return time.perf_counter() - begun


MEASURES: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "start": start,
    "resting": resting,
    "crowd": crowd,
    "unplug": unplug,
    "told": told,
    "hung": hung,
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
        for hub in ("1-1", *(f"1-1.{number + 1}" for number in range(sticks // 100))):
            bus.hub(hub)
        for number in range(sticks):
            port = f"1-1.{number + 1}" if sticks < 100 else f"1-1.{number // 100 + 1}.{number % 100 + 1}"
            bus.plug(Plug(port, str(10001 + number), number=number + 1, driver="usbfs"))
        command = [sys.executable, "-m", "tests.fakes.cgminer", "--port", "0", "--sticks", str(sticks)]
        cgminer = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield folder, _environ(folder, _port(cgminer)) | {"BENCH_CGMINER": str(cgminer.pid)}
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
    with _daemon("miner.monitor", folder / "log", environ, r"ready on \('127.0.0.1', (\d+)\)") as (process, port):
        yield Service(process, f"http://127.0.0.1:{port}", folder / "log")


@contextmanager
def _bot(environ: dict[str, str], url: str) -> Iterator[None]:
    from tests.fakes.telegram import TOKEN

    said = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": "42", "TELEGRAM_BASE_URL": url, "TELEGRAM_LANGUAGE": "en"}
    log = Path(environ["TRADING_STATE_DIR"]).with_name("telegram.log")
    with _daemon("runtime.telegram", log, environ | said, "(ready)"):
        yield


@contextmanager
def _daemon(
    module: str, log: Path, environ: dict[str, str], ready: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process, and what it said when it was ready."""
    with log.open("wb") as out:
        command = [sys.executable, "-m", module]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stdout=out, stderr=out)
    try:
        while not (found := re.search(ready, log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.005)
        yield process, found[1]
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
