"""Alerts by wrk, as fast as they are answered; what it saw, and what it cost."""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runtime.services import KEY, Service

SCRIPT = Path(__file__).with_name("alerts.lua")
LAG = 64
_runs = itertools.count()


@dataclass(frozen=True)
class Load:
    """One run of wrk. `p50`, `p99`, `most` in milliseconds; `bad` were not answered 2xx or 3xx, or not at all.

    `cpu` is what wrk itself used, in cores; `cost` the service's processor time for each alert, in microseconds.
    """

    requests: int
    seconds: float
    bad: int
    p50: float
    p99: float
    most: float
    cpu: float
    cost: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def wrk(service: Service, connections: int, seconds: float, mix: str = "opens") -> Load:
    """`connections` kept open by one thread, each with one alert under way. Exits when any was refused."""
    run = f"{os.getpid():x}{next(_runs):x}"
    env = {**os.environ, "BENCH_KEY": KEY, "BENCH_RUN": run, "BENCH_MIX": mix, "BENCH_LAG": str(LAG)}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", str(SCRIPT)]
    before, began = _children(), service.cpu()
    done = subprocess.run([*command, f"{service.url}/tv"], env=env, capture_output=True, text=True, check=True)
    used = _children() - before
    found = json.loads(done.stdout.partition("\nBENCH ")[2])
    if found["bad"]:
        raise SystemExit(f"bench: {found['bad']} of {found['requests']} alerts failed at {service.url}:\n{done.stdout}")
    cost = (service.cpu() - began) / found["requests"] * 1e6
    return Load(**found, cpu=used / found["seconds"], cost=cost)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
