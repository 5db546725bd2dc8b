"""Services as a caller meets them: in this process behind a test client, or as real processes on a real port."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime import settings
from runtime.http import Edge
from runtime.perf.app import Perf
from runtime.webhook.app import Webhook
from tests.runtime.outbox_kit import delivering
from tests.runtime.postgres import database, postgres
from tests.runtime.process_kit import OUTBOX, Daemon, environment

__all__ = ["database", "postgres"]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have httpx2; httpx is what the rest of the project uses
    from starlette.testclient import TestClient

KEY = "clé-of-the-tests-€"
ROOT = Path(__file__).parents[2]
READY = re.compile(r"ready on \('(?:127.0.0.1|0.0.0.0)', (\d+)\)|logger=runtime.telegram msg=\"?ready")


def wait_until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Poll `condition` until it is true; fails the test after `seconds`."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "still not true"
        time.sleep(0.01)


@pytest.fixture(name="wait_until")
def _wait_until() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """What both services need, with everything under `tmp_path`."""
    state = tmp_path / "state"
    state.mkdir()
    return {
        "TV_WEBHOOK_KEY": KEY,
        "OPS_ADMIN_KEY": "ops-key-of-the-tests",
        "PERF_TOKEN": "token-of-the-tests",
        "TRADING_STATE_DIR": str(state),
        "JOURNAL_PATH": str(tmp_path / "journal.md"),
        "LISTEN_PORT": "0",
        "PERF_URL": "http://127.0.0.1:9",  # discard: nobody listens there
        "ENGINES_PATH": str(state / "risk_config.json"),
        "EVENTS_JSONL": str(tmp_path / "events.jsonl"),
    }


@pytest.fixture
def alert() -> Callable[..., dict[str, Any]]:
    """A good alert of a real engine, with fields changed by keyword; None as `key` leaves it out."""

    def make(**changes: Any) -> dict[str, Any]:
        base = {"key": KEY, "engine": "GOLD_CFD_LONG", "signal": "BUY", "symbol": "XAUUSD", "tf": "15"}
        return base | {"price": 2000, "tp": 2010, "sl": 1995, "reason": "tg_test"} | changes

    return make


@pytest.fixture
def journal(environ: dict[str, str]) -> Path:
    return Path(environ["JOURNAL_PATH"])


@pytest.fixture
def jsonl(environ: dict[str, str]) -> Path:
    return Path(environ["EVENTS_JSONL"])


@pytest.fixture
def webhook(environ: dict[str, str]) -> Iterator[TestClient]:
    app = Webhook(settings.webhook(environ)).app
    with (
        TestClient(Edge(app), raise_server_exceptions=False, client=("127.0.0.1", 5)) as client,
        delivering(environ),
    ):
        yield client


@pytest.fixture
def elsewhere(environ: dict[str, str]) -> Iterator[TestClient]:
    """The webhook as another machine of the network sees it."""
    app = Webhook(settings.webhook(environ)).app
    with TestClient(Edge(app), raise_server_exceptions=False, client=("192.0.2.7", 5)) as client:
        yield client


@pytest.fixture
def perf_app(environ: dict[str, str]) -> Perf:
    return Perf(settings.perf(environ))


@pytest.fixture
def perf(perf_app: Perf) -> Iterator[TestClient]:
    with TestClient(Edge(perf_app.app), raise_server_exceptions=False, client=("127.0.0.1", 5)) as client:
        yield client


@dataclass
class Service:
    """A real `python -m MODULE`. `url` is known once it said that it is ready.

    A webhook comes with the outbox that delivers for it; what that says is in `said` as well.
    """

    module: str
    environ: dict[str, str]
    process: subprocess.Popen[str] | None = None
    url: str = ""
    said: list[str] = field(default_factory=list)
    courier: subprocess.Popen[str] | None = None
    _readers: list[threading.Thread] = field(default_factory=list)

    def start(self, wrapper: tuple[str, ...] = (), **options: Any) -> Service:
        self.process = self._run(self.module, wrapper, options)
        if self.module == "runtime.webhook":
            self.courier = self._run(OUTBOX, wrapper, {name: options[name] for name in options if name != "pass_fds"})
            self._listen(self.courier)
        for line in self.process.stdout or ():
            self.said.append(line)
            if found := re.search(
                r"ready on \('(?:127.0.0.1|0.0.0.0)', (\d+)\)|logger=runtime.telegram msg=\"?ready", line
            ):
                self.url = f"http://127.0.0.1:{found[1]}"
                self._listen(self.process)
                return self
        raise AssertionError(f"not ready: {self.said}")

    def _run(self, module: str, wrapper: tuple[str, ...], options: dict[str, Any]) -> subprocess.Popen[str]:
        command = [*wrapper, sys.executable, "-m", module]
        env = environment(module, self.environ)
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, **options)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """What it says is read as it comes: a full pipe would hold it up."""
        self._readers.append(threading.Thread(target=self.said.extend, args=(process.stdout,), daemon=True))
        self._readers[-1].start()

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        both = [one for one in (self.courier, self.process) if one is not None]
        for one in both:
            if one.poll() is None:
                one.send_signal(how)
        code = [one.wait(timeout=10) for one in both][-1]
        for reader in self._readers:
            reader.join(10)
        for one in both:
            assert one.stdout is not None
            one.stdout.close()
        self._readers.clear()
        return code

    @contextmanager
    def drained(self) -> Iterator[None]:
        """It is killed at the end."""
        try:
            yield
        finally:
            self.kill()

    def post(self, body: Any, path: str = "/tv") -> httpx.Response:
        return httpx.post(self.url + path, content=json.dumps(body).encode(), timeout=5)

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path, timeout=5).json()


@pytest.fixture
def service(environ: dict[str, str]) -> Iterator[Callable[[str], Service]]:
    made: list[Service] = []

    def make(module: str = "runtime.webhook") -> Service:
        made.append(Service(module, environ))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.stdout is not None and not one.process.stdout.closed:
            one.kill()


@pytest.fixture
def daemon(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Daemon]]:
    """Makes services that live through a whole test; each takes the environment as it is when it is made."""
    made: list[Daemon] = []

    def make(module: str) -> Daemon:
        made.append(Daemon(module, dict(environ), tmp_path / f"{len(made)}-{module}.log"))
        return made[-1]

    yield make
    for one in made:
        if one.alive:
            one.kill()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """What systemd listens on for sd_notify."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock
