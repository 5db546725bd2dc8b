"""The machine's clock is set while the services run: nothing is doubled, nothing is stolen, and time goes on.

The clock is a real process's own: a small library, preloaded, shifts what the kernel answers to clock_gettime(2), and
the shift is changed while the process runs. No namespace of Linux has a wall clock of its own, setting this machine's
would disturb everything else on it, and libfaketime breaks the absolute sleeps that Python's time.sleep is made of.
"""

from __future__ import annotations

import struct
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime import clock
from tests.runtime.process_kit import Daemon, Json

Make = Callable[..., Json]
WINDOW = 3.0
SHORT = {"engine": "COINM_SHORT", "signal": "SELL", "symbol": "BTCUSDT.P", "price": 68000, "tp": 67000, "sl": 69000}
LONG = {"engine": "USDTM_LONG", "signal": "BUY", "symbol": "ETHUSDT.P", "price": 3000, "tp": 3300, "sl": 2900}


class SetClock:
    """`ahead(seconds)`: from now on the services' clock is that far from the machine's."""

    def __init__(self, library: Path, file: Path, environ: dict[str, str]) -> None:
        self._file = file
        self.ahead(0)
        environ |= {"LD_PRELOAD": str(library), "SET_CLOCK": str(file), "DEDUPE_SECONDS": str(WINDOW)}

    def ahead(self, seconds: int) -> None:
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("@l", seconds))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("set_clock") / "set_clock.so"
    source = Path(__file__).with_name("set_clock.c")
    subprocess.run(["gcc", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o", built, source], check=True)
    return built


@pytest.fixture
def set_clock(library: Path, tmp_path: Path, environ: dict[str, str]) -> SetClock:
    return SetClock(library, tmp_path / "clock", environ)


@pytest.mark.parametrize("jump", [-7200, 7200], ids=["back", "ahead"])
def test_an_alert_sent_again_across_a_jump_is_known_again(
    daemon: Callable[[str], Daemon], alert: Make, set_clock: SetClock, jump: int
) -> None:
    running = daemon("runtime.webhook").start()
    first = running.post(alert()).body
    named = running.post(alert(symbol="XAGUSD", id="one")).body
    set_clock.ahead(jump)
    again = [
        running.post(alert()).body,
        running.post(alert()).body,
        running.post(alert(symbol="XAGUSD", id="one")).body,
    ]
    assert all(body.get("duplicate") for body in again), again
    assert [body["id"] for body in again] == [first["id"], first["id"], named["id"]]
    assert "duplicate" not in running.post(alert(symbol="XPTUSD")).body
    seen = running.get("/api/events")["events"][0]["_ts"]
    assert abs(clock.from_iso(seen) - datetime.now(UTC) - timedelta(seconds=jump)) < timedelta(minutes=1)
    time.sleep(WINDOW + 0.5)
    assert "duplicate" not in running.post(alert()).body, "a repetition only within the window"


def test_the_lock_is_held_and_given_back_across_a_jump_back(
    daemon: Callable[[str], Daemon], alert: Make, environ: dict[str, str], set_clock: SetClock
) -> None:
    environ["LOCK_EXPIRY_SECONDS"] = "600"
    running = daemon("runtime.webhook").start()
    assert running.post(alert(**SHORT)).status == 200
    set_clock.ahead(-7200)
    for _ in range(3):
        assert running.post(alert(**LONG)).status == 409
        assert running.get("/api/state")["active_engine"] == "COINM_SHORT"
    assert running.post(alert(**SHORT, event_type="CLOSE")).body["outcome"] == "closed"
    assert running.get("/api/state")["active_engine"] is None
    assert running.post(alert(**LONG, id="now")).status == 200
    assert running.post(alert(**SHORT, id="later")).status == 409
    metrics = running.get("/api/metrics")
    assert (metrics["inactive"], metrics["age_sec"] >= 0) == (False, True)


def test_the_sinks_and_the_ledger_keep_their_order_across_a_jump_back(
    daemon: Callable[[str], Daemon], alert: Make, environ: dict[str, str], set_clock: SetClock, wait_until: Callable
) -> None:
    perf = daemon("runtime.perf").start()
    environ |= {"PERF_URL": perf.url, "LISTEN_PORT": "0"}
    running = daemon("runtime.webhook").start()
    running.post(alert(id=1))
    set_clock.ahead(-86_400)
    running.post(alert(event_type="CLOSE", exit=2005, id=2))
    running.post(alert(id=3))
    wait_until(
        lambda: running.get("/api/state")["perf_pending"] == running.get("/api/state")["journal_pending"] == 0, 20
    )
    trades = perf.get("/perf/trades")["trades"]
    assert [(trade["status"], trade["exit"]) for trade in trades] == [("OPEN", None), ("CLOSED", 2005)]
    assert perf.get("/perf/summary")["closed_trades"] == 1
    assert running.get("/api/state")["perf_dead"] == 0
    assert perf.get("/ready")["ok"] is True


def test_what_a_clock_would_show_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead, boot = [100.0], [0.0]
    monkeypatch.setattr(clock, "_ahead", lambda: ahead[0])
    monkeypatch.setattr(clock, "since_boot", lambda: boot[0])
    watch, now = clock.Watch(30), datetime(2026, 2, 17, tzinfo=UTC)
    ahead[0] = 100.5
    assert watch.shown(now) == (now,)
    ahead[0] = 40.5
    assert watch.shown(now) == (now, now + timedelta(seconds=60))
    boot[0], ahead[0] = 20, 50.5
    assert watch.shown(now) == (now, now + timedelta(seconds=50), now - timedelta(seconds=10))
    boot[0] = 31
    assert watch.shown(now) == (now, now - timedelta(seconds=10))
    boot[0] = 51
    assert watch.shown(now) == (now,)
