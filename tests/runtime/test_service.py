"""How a service behaves under systemd: sockets handed over, readiness, watchdog, a stop that drops nobody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime import settings
from runtime.settings import SettingsError

Make = Callable[..., dict[str, Any]]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """What systemd opens for a socket unit."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as sock:
        sock.set_inheritable(True)
        yield sock


# Puts the descriptor at 3 and says so, the way systemd starts a socket-activated service.
_HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def start_on(running: Any, port: socket.socket) -> None:
    running.start(wrapper=(sys.executable, "-c", _HAND_OVER, str(port.fileno())), pass_fds=[port.fileno()])


@pytest.mark.parametrize("module", ["runtime.webhook", "runtime.perf"])
def test_it_says_ready_signs_and_says_goodbye(
    service: Callable[..., Any], environ: dict[str, str], manager: socket.socket, module: str
) -> None:
    environ |= {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
    begun = time.monotonic()
    running = service(module).start()
    assert manager.recv(99).startswith(b"READY=1")
    assert time.monotonic() - begun < 5
    assert httpx.get(running.url + "/ready").status_code == 200
    assert [manager.recv(99) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    assert running.stop() in (0, -signal.SIGTERM)
    said = []
    while not said or not said[-1].startswith(b"STOPPING=1"):
        said.append(manager.recv(99))


def test_a_hung_loop_sends_no_sign(
    service: Callable[..., Any], environ: dict[str, str], manager: socket.socket
) -> None:
    environ |= {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "100000"}
    running = service().start()
    manager.recv(99)
    running.process.send_signal(signal.SIGSTOP)
    manager.settimeout(0.5)
    with pytest.raises(TimeoutError):
        while True:
            manager.recv(99)
    running.process.send_signal(signal.SIGCONT)


def test_a_store_that_cannot_be_opened_is_never_ready(
    service: Callable[..., Any], environ: dict[str, str], manager: socket.socket, tmp_path: Path
) -> None:
    environ |= {"NOTIFY_SOCKET": manager.getsockname(), "TRADING_STATE_DIR": str(tmp_path / "nowhere")}
    with pytest.raises(AssertionError, match="not ready"):
        service().start()
    manager.settimeout(0.1)
    with pytest.raises(TimeoutError):
        manager.recv(99)


def test_it_serves_on_the_socket_it_was_handed(service: Callable[..., Any], port: socket.socket, alert: Make) -> None:
    running = service()
    start_on(running, port)
    assert running.url.endswith(f":{port.getsockname()[1]}")
    assert running.post(alert()).json() == {"ok": True, "id": 1}


def test_restarts_under_load_fail_no_request(service: Callable[..., Any], port: socket.socket, alert: Make) -> None:
    running = service()
    start_on(running, port)
    done = threading.Event()
    answers: list[int] = []
    senders = [
        threading.Thread(target=_hammer, args=(running.url, alert(), done, answers), daemon=True) for _ in range(4)
    ]
    for sender in senders:
        sender.start()
    for round in range(3):
        _wait_for(answers, 20 * (round + 1))
        running.stop()
        start_on(running, port)
    _wait_for(answers, 80)
    done.set()
    for sender in senders:
        sender.join()
    assert set(answers) == {200}
    assert running.get("/api/state")["events_total"] == len(answers)


def _wait_for(answers: list[int], many: int) -> None:
    limit = time.monotonic() + 60
    while len(answers) < many and time.monotonic() < limit:
        time.sleep(0.01)
    assert len(answers) >= many


def _hammer(url: str, body: dict[str, Any], done: threading.Event, answers: list[int]) -> None:
    with httpx.Client(base_url=url, timeout=60, headers={"Connection": "close"}) as client:
        while not done.is_set():
            try:
                answers.append(client.post("/tv", json=body).status_code)
            except httpx.TransportError:
                answers.append(0)
            time.sleep(0.005)


def test_it_stops_within_five_seconds_whoever_is_connected(service: Callable[..., Any]) -> None:
    running = service().start()
    host, _, number = running.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(number))) as silent:
        silent.sendall(b"POST /tv HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        begun = time.monotonic()
        running.stop()
        assert time.monotonic() - begun < 5


def test_a_start_without_its_settings_names_them_all(environ: dict[str, str]) -> None:
    for name in ("TV_WEBHOOK_KEY", "OPS_ADMIN_KEY"):
        environ[name] = " "
    command, env = [sys.executable, "-m", "runtime.webhook"], os.environ | environ
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "TV_WEBHOOK_KEY" in result.stderr
    assert "OPS_ADMIN_KEY" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOURNAL_TZ", "Mars/Olympus"),
        ("JOURNAL_TZ", "../etc"),
        ("LISTEN_PORT", "x"),
        ("LISTEN_PORT", "70000"),
        ("DEDUPE_SECONDS", "-1"),
        ("LOCK_EXPIRY_SECONDS", "nan"),
        ("OPPOSITE", "maybe"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(environ: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        settings.webhook(environ | {name: value})
    assert value in str(caught.value)


@pytest.mark.parametrize("value", ["nan", "inf", "0", "-5", "ten"])
def test_the_starting_equity_is_an_amount(environ: dict[str, str], value: str) -> None:
    with pytest.raises(SettingsError, match="PERF_EQUITY0"):
        settings.perf(environ | {"PERF_EQUITY0": value})


def test_secrets_do_not_show_themselves(environ: dict[str, str]) -> None:
    wanted = settings.webhook(environ)
    assert environ["TV_WEBHOOK_KEY"] not in f"{wanted!r} {wanted.key} {wanted.key!r}"
    assert wanted.key.reveal() == environ["TV_WEBHOOK_KEY"]
