"""The tunnel's unit with an agent that behaves like ngrok's: waiting, up, refused, taken, dead, and back again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from ops.paths import ROOT
from ops.render import render
from roles.tunnel.role import Config
from runtime import probe
from runtime.keys import Secret
from tests.fakes.listen import end, free_port, serve

OPS_KEY = "an-operators-key"
TOKEN = "2abc-a-token-of-ngrok-s"
KEY = "an-alert-s-key-1234"


class Webhook(BaseHTTPRequestHandler):
    """What stands behind the tunnel: it answers the signed question and takes alerts."""

    heard: ClassVar[list[tuple[str, str]]] = []

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        if answer := probe.answer(Secret(OPS_KEY), self.headers.get(probe.HEADER)):
            self.send_header(probe.HEADER, answer)
        self.end_headers()

    def do_POST(self) -> None:
        self.heard.append(
            (self.headers["X-Forwarded-For"], self.rfile.read(int(self.headers["Content-Length"])).decode())
        )
        self.send_response(200)
        self.end_headers()


@dataclass
class Unit:
    """A real `python -m runtime.tunnel`, with its agent in `folder`."""

    folder: Path
    upstream: str
    url: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    inspector: int = field(default_factory=free_port)
    token: str = TOKEN
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "TUNNEL_KIND": "ngrok",
            "TUNNEL_PROGRAM": str(self.folder / "ngrok"),
            "TUNNEL_SECRET": str(self.folder / "ngrok.yml"),
            "TUNNEL_URL": self.url,
            "TUNNEL_UPSTREAM": self.upstream,
            "TUNNEL_INSPECTOR": f"http://127.0.0.1:{self.inspector}",
            "TUNNEL_STATE": str(self.folder / "state.json"),
            "TUNNEL_UNIT": "test.service",
            "OPS_ADMIN_KEY": OPS_KEY,
        }

    def start(self, **more: str) -> None:
        self.write()
        command = [sys.executable, "-P", "-m", "runtime.tunnel", "run"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(command, env=self.environment | more, cwd=ROOT, stderr=log)

    def write(self) -> None:
        config = Config(
            token=self.token,
            url=self.url,
            binary="/usr/bin/ngrok",
            upstream=self.upstream,
            inspector_port=self.inspector,
        )
        (self.folder / "ngrok.yml").write_text(render("env/ngrok.yml.j2", {"c": config}))
        program = self.folder / "ngrok"
        program.write_text(f"#!{sys.executable}\n{(ROOT / 'tests/fakes/ngrok.py').read_text()}")
        program.chmod(0o755)

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(10)

    def state(self, wanted: str, within: float = 15) -> dict[str, Any]:
        limit = time.monotonic() + within
        while True:
            path = self.folder / "state.json"
            now = json.loads(path.read_text()) if path.exists() else {"state": "none"}
            if now["state"] == wanted:
                return now
            assert time.monotonic() < limit, f"{now}\n{(self.folder / 'log').read_text()}"
            time.sleep(0.05)

    def ask(self, *words: str) -> dict[str, Any]:
        command = [sys.executable, "-P", "-m", "runtime.tunnel", *words]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @property
    def agent(self) -> int:
        listing = subprocess.run(
            ["ps", "--ppid", str(self.process and self.process.pid), "-o", "pid="], capture_output=True, text=True
        )
        return int(listing.stdout.split()[0])


@pytest.fixture
def webhook() -> Iterator[str]:
    Webhook.heard.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    yield f"http://127.0.0.1:{serve(server)}"
    end(server)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[..., Unit]]:
    units: list[Unit] = []

    def make(upstream: str, **more: Any) -> Unit:
        folder = tmp_path / str(len(units))
        folder.mkdir()
        units.append(Unit(folder, upstream, **more))
        return units[-1]

    yield make
    for unit in units:
        if unit.process and unit.process.poll() is None:
            unit.stop()


def test_an_alert_comes_through_and_status_shows_it_without_its_key(made: Callable[..., Unit], webhook: str) -> None:
    unit = made(webhook)
    unit.start()
    assert unit.state("up")["url"] == unit.url
    body = json.dumps({"key": KEY, "engine": "NGROK_TEST"})
    httpx.post(f"{unit.url}/tv", content=body, headers={"X-Forwarded-For": "52.89.214.238"})
    assert Webhook.heard == [("52.89.214.238, 127.0.0.1", body)]
    told = unit.ask("status")
    assert told["probe"] == {"ok": True, "why": ""}
    assert told["requests"][0] | {"ms": 0, "at": ""} == {
        "id": "airt_0", "at": "", "from": "127.0.0.1", "method": "POST", "path": "/tv", "status": 200, "ms": 0,
        "body": '{"key": "********", "engine": "NGROK_TEST"}',
    }  # fmt: skip
    assert unit.ask("replay", "airt_0") == {"ok": True, "id": "airt_0"}
    assert len(Webhook.heard) == 2
    assert "there is no request" in unit.ask("replay", "airt_9")["error"]
    log = (unit.folder / "log").read_text()
    assert KEY not in log + json.dumps(told)
    assert TOKEN not in log


def test_it_waits_for_the_webhook(made: Callable[..., Unit]) -> None:
    port = free_port()
    unit = made(f"http://127.0.0.1:{port}")
    unit.start()
    assert "the webhook does not answer" in unit.state("waiting")["why"]
    server = ThreadingHTTPServer(("127.0.0.1", port), Webhook)
    serve(server)
    unit.state("up")
    end(server)


def test_an_agent_that_dies_is_started_again(made: Callable[..., Unit], webhook: str) -> None:
    unit = made(webhook)
    unit.start()
    unit.state("up")
    os.kill(unit.agent, signal.SIGKILL)
    assert unit.state("failed")["why"] == "ngrok says: it ended with status -9"
    assert unit.state("up")["restarts"] == 1
    assert httpx.get(f"{unit.url}/health").status_code == 200
    assert unit.stop() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{unit.url}/health")


def test_an_agent_that_takes_its_time_to_end_is_let_end(made: Callable[..., Unit], webhook: str) -> None:
    unit = made(webhook)
    usual = unit.write

    def write() -> None:
        usual()
        (unit.folder / "ngrok").write_text("#!/bin/sh\nexec >&- 2>&-\nsleep 0.5\nexit 7\n")

    unit.write = write  # type: ignore[method-assign]
    unit.start()
    assert unit.state("failed")["why"] == "ngrok says: it ended with status 7"


def test_a_refused_token_is_said_plainly_and_not_tried_every_second(made: Callable[..., Unit], webhook: str) -> None:
    unit = made(webhook, token="revoked-token-of-ngrok")
    unit.start()
    failed = unit.state("failed")
    assert (failed["code"], failed["why"]) == ("107", "ngrok refuses the token: it was revoked, or its account is gone")
    assert "./inv secrets.set tunnel_token" in failed["hint"]
    time.sleep(2)
    assert unit.state("failed")["restarts"] == 0
    assert "revoked-token" not in (unit.folder / "log").read_text()


def test_a_url_that_is_online_elsewhere_names_the_agent_that_may_hold_it(
    made: Callable[..., Unit], webhook: str
) -> None:
    first, second = made(webhook), made(webhook)
    first.start()
    first.state("up")
    second.url = first.url
    second.start()
    failed = second.state("failed")
    assert failed["code"] == "334"
    assert f"process {first.agent} of " in failed["why"]
    while failed["restarts"] == 0 or failed["state"] != "failed":
        assert "the URL is online elsewhere" in failed["why"], "also while it tries again"
        failed = json.loads((second.folder / "state.json").read_text())
    os.kill(first.agent, signal.SIGSTOP)  # it can hold nothing any more once it is gone
    os.kill(first.agent, signal.SIGKILL)
    assert first.process
    first.process.kill()
    first.process.wait()
    assert second.state("up", 20)["url"] == first.url


def test_with_consent_the_other_agent_is_stopped(made: Callable[..., Unit], webhook: str) -> None:
    unit = made(webhook)
    unit.write()
    command = [unit.folder / "ngrok", "start", "--all", "--config", unit.folder / "ngrok.yml"]
    by_hand = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert by_hand.stdout
    while "started tunnel" not in by_hand.stdout.readline():
        pass
    unit.start(TUNNEL_TAKE_OVER="yes")
    assert unit.process
    assert unit.process.wait(20) == 75, "systemd starts the unit again, which begins by stopping the other"
    environment = unit.environment | {"TUNNEL_UNIT": "test.service"}
    taken = subprocess.run(
        [sys.executable, "-P", "-m", "runtime.tunnel", "take-over"], env=environment, cwd=ROOT, check=False
    )
    assert taken.returncode == 0
    assert by_hand.wait(10) is not None
    by_hand.stdout.close()
    unit.start(TUNNEL_TAKE_OVER="yes")
    unit.state("up")


def test_an_inspector_that_hangs_is_told_and_the_rest_still_shown(
    made: Callable[..., Unit], webhook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = made(webhook)
    unit.start()
    unit.state("up")
    os.kill(unit.agent, signal.SIGUSR1)
    told = unit.ask("status")
    assert "does not answer: timed out" in told["inspector"]
    assert told["probe"]["ok"] is True


def test_a_program_that_is_not_there(made: Callable[..., Unit], webhook: str) -> None:
    unit = made(webhook)
    unit.start(TUNNEL_PROGRAM="/nonexistent/ngrok")
    assert unit.state("failed")["why"] == "/nonexistent/ngrok cannot be started: No such file or directory"


def test_a_setting_that_cannot_be_is_named() -> None:
    environment = os.environ | {"TUNNEL_KIND": "ngork", "TUNNEL_TAKE_OVER": "perhaps"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "runtime.tunnel"], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 78
    assert "TUNNEL_KIND='ngork': expected one of ngrok, cloudflared, tailscale" in done.stderr
    assert "TUNNEL_TAKE_OVER" in done.stderr
