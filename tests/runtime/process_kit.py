"""Services as real processes that live long: their output goes to a file, their address stays through restarts."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
OUTBOX = "runtime.outbox.serve"
Json = dict[str, Any]


def environment(module: str, environ: dict[str, str]) -> dict[str, str]:
    """What a service is started with. What systemd says to a webhook is not said to the outbox beside it."""
    found = {**os.environ, "PYTHONUNBUFFERED": "1", **environ}
    if module != OUTBOX:
        return found
    return {name: text for name, text in found.items() if not name.startswith(("NOTIFY_", "WATCHDOG_", "LISTEN_"))}


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is the JSON object, or empty when there was none."""

    status: int
    body: Json
    headers: dict[str, str]
    seconds: float


class Line:
    """One caller: a kept connection, or with `fresh` a new one for each request."""

    def __init__(self, url: str, *, fresh: bool = False, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        self._line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        self._fresh = fresh

    def post(self, path: str, body: Json | bytes, **headers: str) -> Answer | None:
        return self.ask("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), **headers)

    def get(self, path: str, **headers: str) -> Answer | None:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer | None:
        """None: the request was not answered, whatever became of it."""
        begun = time.monotonic()
        try:
            self._line.request(method, path, body, headers | ({"Connection": "close"} if self._fresh else {}))
            got = self._line.getresponse()
            text = got.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        found = json.loads(text) if text[:1] == b"{" else {}
        return Answer(got.status, found, {k.lower(): v for k, v in got.headers.items()}, time.monotonic() - begun)

    def close(self) -> None:
        self._line.close()


@dataclass
class Daemon:
    """A real `python -m MODULE`. `url` is known once it was ready; from then on the port stays the same.

    A webhook comes with the outbox that delivers for it, as on a host: they start and end together, and share the log.
    `outbox` False leaves it out.
    """

    module: str
    environ: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    outbox: bool = True
    courier: subprocess.Popen[bytes] | None = None

    def start(self, *wrapper: str, **options: Any) -> Daemon:
        """Returns once it says that it is ready; fails the test when it ends before."""
        self.launch(*wrapper, **options)
        return self.wait_ready()

    def wait_ready(self) -> Daemon:
        limit = time.monotonic() + 60
        while not (found := re.search(r"ready on \('127.0.0.1', (\d+)\)", self.said)):
            assert self.alive, f"not ready: {self.said}"
            assert time.monotonic() < limit, f"not ready: {self.said}"
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{found[1]}"
        self.environ["LISTEN_PORT"] = found[1]
        return self

    def launch(self, *wrapper: str, **options: Any) -> None:
        """Start it and wait for nothing."""
        self.log.write_bytes(b"")
        self.process = self._run(self.module, wrapper, options)
        if self.outbox and self.module == "runtime.webhook":
            if self.courier is not None:  # of a webhook that ended by itself
                self.courier.kill()
                self.courier.wait(20)
            self.courier = self._run(OUTBOX, wrapper, options)

    def _run(self, module: str, wrapper: tuple[str, ...], options: dict[str, Any]) -> subprocess.Popen[bytes]:
        command = [*wrapper, sys.executable, "-m", module]
        with self.log.open("ab") as out:
            return subprocess.Popen(
                command, cwd=ROOT, env=environment(module, self.environ), stdout=out, stderr=out, **options
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        both = [one for one in (self.courier, self.process) if one is not None]
        for one in both:
            with contextlib.suppress(ProcessLookupError):
                one.send_signal(how)
        return [one.wait(20) for one in both][-1]

    def post(self, body: Json | bytes, path: str = "/tv", **headers: str) -> Answer:
        """One answer, on a connection of its own; fails the test when there is none."""
        answer = Line(self.url, fresh=True).post(path, body, **headers)
        assert answer is not None, self.said[-2000:]
        return answer

    def get(self, path: str, **headers: str) -> Json:
        answer = Line(self.url, fresh=True).get(path, **headers)
        assert answer is not None, self.said[-2000:]
        return answer.body
