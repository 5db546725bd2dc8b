"""The services as real processes, and what the kernel says of them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.paths import ROOT

KEY = "key-of-the-benchmark"
NOBODY = "http://127.0.0.1:9"
START_SECONDS = 60
TICK = os.sysconf("SC_CLK_TCK")
ENGINES = {
    "engines": {
        "INDEX_LONG": {"equity": 20000, "risk_pct": 0.5, "qty_step": 0.1, "direction": "long", "tick_size": 0.25},
        "FX_SHORT": {"equity": 5000, "risk_pct": 1, "qty_step": 1000, "direction": "short"},
        "OIL_LONG": {"equity": 5000, "risk_pct": 1, "qty_step": 1, "direction": "long", "tick_size": 0.01},
    }
}


@dataclass
class Service:
    """A running `python -m MODULE`; `log` is its file of everything it said."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def memory(self) -> tuple[float, float]:
        """(VmRSS, VmHWM) in MB: what it holds now, and the most it ever held."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        found = {line.split()[0]: int(line.split()[1]) / 1000 for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return found["VmRSS:"], found["VmHWM:"]

    def cpu(self) -> float:
        """Seconds of processor time so far, in all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


def environ(folder: Path, **changes: str) -> dict[str, str]:
    """What the roles put into the services' environment, with everything under `folder`."""
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    (state / "risk_config.json").write_text(json.dumps(ENGINES))
    return {
        "TV_WEBHOOK_KEY": KEY,
        "OPS_ADMIN_KEY": "ops-key-of-the-benchmark",
        "PERF_TOKEN": "token-of-the-benchmark",
        "TRADING_STATE_DIR": str(state),
        "JOURNAL_PATH": str(folder / "journal.md"),
        "ENGINES_PATH": str(state / "risk_config.json"),
        "EVENTS_JSONL": str(folder / "events.jsonl"),
        "PERF_URL": NOBODY,
        **changes,
    }


@contextmanager
def running(
    module: str, env: Mapping[str, str], *arguments: str, answers: bool = True, ready: str = ""
) -> Iterator[Service]:
    """The service once it answers `/health`, or said that it is `ready` (or after a moment, if it does neither).

    Told to stop at the end.
    """
    service = _started(module, env, arguments)
    try:
        if ready:
            _await(service, lambda: ready in service.log.read_text())
        elif answers:
            _await(service, lambda: _is_healthy(service))
        else:
            time.sleep(2)
        yield service
        if service.process.poll() is not None:
            raise SystemExit(f"bench: {module} ended by itself:\n{service.log.read_text()[-3000:]}")
    finally:
        service.process.send_signal(signal.SIGTERM)
        try:
            service.process.wait(10)
        except subprocess.TimeoutExpired:
            service.process.kill()
            service.process.wait()


def _started(module: str, env: Mapping[str, str], arguments: tuple[str, ...]) -> Service:
    port = free_port()
    log = Path(env["TRADING_STATE_DIR"]).parent / f"{module}.log"
    whole = {**os.environ, "PYTHONPATH": str(ROOT), **env, "LISTEN_PORT": str(port)}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments], cwd=ROOT, env=whole, stdout=out, stderr=out
        )
    return Service(process, f"http://127.0.0.1:{port}", log)


def _await(service: Service, condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + START_SECONDS
    while not condition():
        if service.process.poll() is not None or time.monotonic() > limit:
            raise SystemExit(f"bench: not started:\n{service.log.read_text()[-3000:]}")
        time.sleep(0.05)


def _is_healthy(service: Service) -> bool:
    try:
        service.get("/health")
    except OSError:
        return False
    return True


@contextmanager
def black_hole() -> Iterator[str]:
    """A URL where everybody is let in and nobody is answered: the kernel takes connections that we never look at."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as sock:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])
