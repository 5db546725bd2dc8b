"""The cluster's own programs as processes of this machine, and a study that takes them some seconds."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from ops.paths import ROOT
from quant.candles import Candles
from quant.config import parse
from quant.dataset import Dataset
from quant.sweep.where import Job
from quant.sweep.work import Study, evaluate
from quant.timeframe import Timeframe


def free_ports(count: int) -> int:
    """The first of some that nobody listens on."""
    while True:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            first = int(one.getsockname()[1])
        with suppress(OSError):
            for port in range(first, first + count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
            return first


@dataclass
class Cluster:
    """A scheduler and workers at loopback."""

    folder: Path
    root: Path = ROOT
    """Where the services' modules are."""
    port: int = field(default_factory=lambda: free_ports(5))
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def schedule(self) -> None:
        self._start("scheduler", "--port", str(self.port))

    def work(self, workers: int = 2) -> None:
        scheduler = ("--scheduler", self.url, "--port", str(self.port + 1), "--memory-percent", "20")
        self._start("worker", *scheduler, "--workers", str(workers))

    def _start(self, name: str, *words: str) -> None:
        command = [sys.executable, "-P", "-m", f"quant.cluster.{name}", "--address", "127.0.0.1", *words]
        environment = {**os.environ, "PYTHONPATH": str(self.root)}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, env=environment, cwd="/", stdout=log, stderr=log)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def processes(self) -> list[psutil.Process]:
        """The workers themselves: what their keepers started and the tracker of their semaphores is not."""
        children = psutil.Process(self.running["worker"].pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def kill(self, name: str) -> None:
        """kill -9 of a service and of all that it started, as systemd does with what is left of a unit."""
        with suppress(psutil.NoSuchProcess):
            whole = psutil.Process(self.running[name].pid)
            for process in [*whole.children(recursive=True), whole]:
                process.kill()
        self.running.pop(name).wait()

    def stop(self) -> Mapping[str, int]:
        """SIGTERM to all; exit statuses."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(30) for name, process in self.running.items()}


@contextmanager
def cluster(folder: Path, workers: int = 2, root: Path = ROOT) -> Iterator[Cluster]:
    """With workers that have registered, or are about to."""
    found = Cluster(folder, root)
    try:
        found.schedule()
        if workers:
            found.work(workers)
        yield found
    finally:
        for name in list(found.running):
            found.kill(name)


def study(url: Path, bars: int = 20_000) -> Study:
    """A random walk in cents, stored at `url`."""
    random = np.random.default_rng(1)
    close = np.round(30_000 + np.cumsum(random.normal(0, 20, bars)), 2)
    opened = np.concatenate(([30_000.0], close[:-1]))
    high, low = np.maximum(opened, close) + 5, np.minimum(opened, close) - 5
    time = 1_600_000_200_000 + 900_000 * np.arange(bars)
    candles = Candles("test", "BTC/USDT", Timeframe.of("15m"), time, opened, high, low, close, np.ones(bars))
    Dataset(str(url)).add(candles)
    data = {"symbol": "BTC/USDT", "timeframe": "15m", "url": str(url)}
    return Study(parse({"data": data, "instrument": {"tick_size": 0.01}}), candles)


def jobs(count: int, each: int = 10) -> list[Job]:
    """`count` jobs of `each` combinations, no two the same."""
    pairs = [{"fast": 5 + number % 50, "slow": 60 + number // 50} for number in range(count * each)]
    return [Job(number, tuple(pairs[number * each : (number + 1) * each])) for number in range(count)]


def here(one: Study, wanted: list[Job]) -> list[str]:
    """What this process makes of them, to the last bit."""
    return [repr(evaluate(one.config, one.candles, one.funding, job.overrides)) for job in wanted]


def changed_copy(folder: Path) -> Path:
    """The sources with one line more."""
    for package in ("quant", "runtime"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "quant/errors.py").open("a") as file:
        file.write("# another version\n")
    return folder
