"""tv-outbox as a process of its own: what it delivers by itself, how it starts, signs and stops."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.outbox.lookout import PRESSED_RATE, Lookout
from runtime.store import Store, tables
from tests.runtime.process_kit import OUTBOX, Daemon

EVENT = {name: "" for name in ("ts", "ip", "engine", "signal", "symbol", "tf", "reason")} | {
    "price": 1.0,
    "payload": "{}",
}

Start = Callable[[str], Daemon]
Make = Callable[..., dict[str, Any]]
Wait = Callable[..., None]


def alone(daemon: Start) -> Daemon:
    webhook = daemon("runtime.webhook")
    webhook.outbox = False
    return webhook.start()


def test_without_it_alerts_are_taken_and_wait(daemon: Start, alert: Make, journal: Path, wait_until: Wait) -> None:
    webhook = alone(daemon)
    for number in range(5):
        assert webhook.post(alert(id=number)).status == 200
    time.sleep(0.3)
    state = webhook.get("/api/state")
    assert (state["journal_pending"], state["events_total"], journal.exists()) == (5, 5, False)
    outbox = daemon(OUTBOX)
    outbox.launch()
    wait_until(lambda: webhook.get("/api/state")["journal_pending"] == 0)
    assert journal.read_text().count("\n## ") == 5
    assert outbox.stop() == 0


def test_what_comes_is_seen_at_once(daemon: Start, alert: Make, journal: Path, wait_until: Wait) -> None:
    webhook = daemon("runtime.webhook").start()
    wait_until(lambda: "ready: delivering" in webhook.said)
    for number in range(3):
        time.sleep(0.6)  # longer than it looks once, shorter than it looks anyway
        webhook.post(alert(id=number))
        wait_until(lambda number=number: journal.exists() and journal.read_text().count("\n## ") == number + 1, 2.0)


def test_it_says_ready_signs_and_says_goodbye(daemon: Start, environ: dict[str, str], manager: socket.socket) -> None:
    manager.settimeout(30)
    outbox = daemon(OUTBOX)
    told = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
    outbox.launch("env", *(f"{name}={text}" for name, text in told.items()))
    assert manager.recv(999).startswith(b"READY=1\nSTATUS=journal: ")
    assert manager.recv(999).startswith(b"WATCHDOG=1\n")
    assert outbox.process is not None
    outbox.process.send_signal(signal.SIGTERM)
    said = manager.recv(999)
    while not said.startswith(b"STOPPING=1"):
        said = manager.recv(999)
    assert outbox.process.wait(10) == 0


def test_a_log_book_that_cannot_be_written_is_told_before_an_alert_comes(
    daemon: Start, journal: Path, wait_until: Wait
) -> None:
    journal.mkdir()
    webhook = daemon("runtime.webhook").start()
    wait_until(lambda: webhook.get("/ready")["ok"] is False)
    assert "journal.md" in webhook.get("/ready")["checks"]["journal"]
    journal.rmdir()
    wait_until(lambda: webhook.get("/ready")["ok"] is True, 30)


def test_wrong_settings_are_told_by_its_name(daemon: Start, environ: dict[str, str]) -> None:
    environ["DEDUPE_SECONDS"] = "soon"
    outbox = daemon(OUTBOX)
    outbox.launch()
    assert outbox.process is not None
    assert outbox.process.wait(20) == 1
    assert outbox.said.startswith("tv-outbox cannot start:\nDEDUPE_SECONDS='soon'")


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store(tmp_path / "webhook.db", tables.SCHEMA)
    yield opened
    opened.close()


def test_only_what_concerns_a_sink_is_news(store: Store, tmp_path: Path) -> None:
    """Another process commits: SQLite tells nobody of what its own connection did."""
    other, lookout = Store(tmp_path / "webhook.db", tables.SCHEMA), Lookout(store)
    lookout.look()
    assert lookout.look() is False
    other.submit(lambda connection: add(connection, tables.resets, ts="", ip="")).result(5)
    assert lookout.look() is False, "nothing to deliver"
    other.submit(lambda connection: add(connection, tables.events, **EVENT)).result(5)
    assert lookout.look() is True
    letter = {"sink": "journal", "ref": 1, "reason": "", "ts": "", "retry": True}
    other.submit(lambda connection: add(connection, tables.dead_letters, **letter)).result(5)
    assert (lookout.look(), lookout.look()) == (True, False)
    lookout.close()
    other.close()


def test_it_knows_a_flood_from_an_alert(store: Store, tmp_path: Path) -> None:
    other, lookout = Store(tmp_path / "webhook.db", tables.SCHEMA), Lookout(store)
    lookout.look()
    time.sleep(0.1)
    other.submit(lambda connection: add(connection, tables.events, **EVENT)).result(5)
    lookout.look()
    assert not lookout.pressed()

    def flood(connection: Any) -> None:
        for _ in range(int(PRESSED_RATE)):
            add(connection, tables.events, **EVENT)

    other.submit(flood).result(5)
    lookout.look()
    assert lookout.pressed()
    time.sleep(0.25)
    assert not lookout.pressed()
    lookout.close()
    other.close()


def add(connection: Any, table: Any, **row: Any) -> None:
    connection.execute(table.insert().values(**row))
