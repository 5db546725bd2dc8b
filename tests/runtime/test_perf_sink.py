"""What the ledger is told, exactly once, and that a ledger that is down, hangs or refuses harms nobody else."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from runtime.outbox.perf_sink import BATCH, PRESSED_SECONDS, PerfSink
from runtime.store import Store, tables

Make = Callable[..., dict[str, Any]]
SHORT = {"engine": "COINM_SHORT", "signal": "SELL", "symbol": "BTCUSDT.P", "tf": "60", "reason": "r"}
SHORT |= {"price": 68000, "tp": 67000, "sl": 69000}
Start = Callable[[], Any]


@pytest.fixture
def ledger(service: Callable[[str], Any], environ: dict[str, str]) -> Start:
    """Starts perf, always on the same port, and tells the webhook where it is."""
    perf = service("runtime.perf")

    def start() -> Any:
        port = environ["PERF_URL"].rsplit(":", 1)[1]
        environ["LISTEN_PORT"] = "0" if port == "9" else port
        perf.start()
        environ.update(LISTEN_PORT="0", PERF_URL=perf.url)
        return perf

    return start


def told(running: Any, wait_until: Callable[..., None]) -> None:
    wait_until(lambda: running.get("/api/state")["perf_pending"] == 0, 20)


def test_an_alert_opens_and_closes_a_trade(
    service: Callable[..., Any], ledger: Start, alert: Make, wait_until: Callable[..., None]
) -> None:
    perf = ledger()
    running = service().start()
    running.post(alert(**SHORT))
    told(running, wait_until)
    (trade,) = perf.get("/perf/open")["trades"]
    assert (trade["engine"], trade["side"], trade["entry"], trade["stop"]) == ("COINM_SHORT", "SHORT", 68000, 69000)
    assert (trade["qty"], trade["risk_usd"], trade["meta"]["event_id"]) == (0.06, 60, 1)
    running.post(alert(engine="COINM_SHORT", symbol="BTCUSDT.P", event_type="UPDATE", mark=67500))
    told(running, wait_until)
    assert perf.get("/perf/open")["trades"][0]["mark"] == 67500
    running.post(alert(engine="COINM_SHORT", symbol="BTCUSDT.P", event_type="CLOSE", exit=67000))
    told(running, wait_until)
    (trade,) = perf.get("/perf/trades")["trades"]
    assert (trade["status"], trade["exit"], trade["pnl"], trade["r"]) == ("CLOSED", 67000, 60, 1)


def test_a_senders_trade_id_may_come_again_once_it_is_closed(
    service: Callable[..., Any], ledger: Start, alert: Make, wait_until: Callable[..., None]
) -> None:
    perf = ledger()
    running = service().start()
    for number in range(3):
        opened = alert(**SHORT, trade_id="Short", id=number)
        assert running.post(opened).json().get("duplicate") is None
        assert running.post(opened | {"id": f"again {number}"}).json()["duplicate"] is True
        done = running.post(alert(**SHORT, event_type="CLOSE", trade_id="Short", id=f"close {number}")).json()
        assert (done["outcome"], len(done["trades"])) == ("closed", 1)
    assert running.post(alert(trade_id="Short")).json().get("duplicate") is None  # another engine's own
    told(running, wait_until)
    trades = perf.get("/perf/trades")["trades"]
    assert [trade["status"] for trade in trades] == ["OPEN", "CLOSED", "CLOSED", "CLOSED"]
    assert running.get("/api/state")["perf_dead"] == 0


def test_tests_repetitions_and_the_unsized_are_not_told(service: Callable[..., Any], alert: Make) -> None:
    running = service().start()
    for changes in ({"engine": "TV_TEST"}, {"engine": "XAU_M5_SCALP"}, {"sl": 0}, {"engine": "USDTM_LONG", "sl": 2001}):
        running.post(alert(**changes))
    assert running.get("/api/state")["perf_pending"] == 0
    for _ in range(3):
        running.post(alert(symbol="XAGUSD"))
    assert running.get("/api/state")["perf_pending"] == 1


def test_a_ledger_that_is_down_is_told_later(
    service: Callable[..., Any], ledger: Start, alert: Make, wait_until: Callable[..., None]
) -> None:
    perf = ledger()
    perf.stop()
    running = service().start()
    for number in range(5):
        assert running.post(alert(id=number)).status_code == 200
    wait_until(lambda: running.get("/api/state")["perf_error"] is not None)
    assert running.get("/api/state")["perf_pending"] == 5
    assert running.get("/ready")["ok"] is True
    ledger()
    told(running, wait_until)
    assert perf.get("/perf/summary")["open_trades"] == 5
    assert running.get("/api/state")["perf_error"] is None


def test_a_ledger_that_hangs_delays_only_itself(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, wait_until: Callable[..., None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environ["PERF_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        running = service().start()
        with httpx.Client(base_url=running.url) as client:
            took = [client.post("/tv", json=alert(id=n)).elapsed.total_seconds() for n in range(100)]
        assert sorted(took)[95] < 0.25
        wait_until(lambda: running.get("/api/state")["journal_pending"] == 0)
        assert running.get("/api/state")["perf_pending"] == 100
        begun = time.monotonic()
        running.stop()
        assert time.monotonic() - begun < 5


@contextmanager
def fake_ledger(answers: list[int], slow: float = 0.0) -> Iterator[tuple[str, list[Any]]]:
    """Answers with each status once, then always 200, each after `slow` seconds; keeps what it was told."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = b'{"ok": false, "error": "because"}'
            time.sleep(slow)
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_refused_for_good_is_kept_and_the_rest_goes_on(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, wait_until: Callable[..., None]
) -> None:
    with fake_ledger([503, 400, 409, 429]) as (url, seen):
        environ["PERF_URL"] = url
        running = service().start()
        for number in range(4):
            running.post(alert(id=number))
        told(running, wait_until)
        state = running.get("/api/state")
        assert (state["perf_pending"], state["perf_dead"]) == (0, 1)
        events = [body["meta"]["event_id"] for body in seen]
        assert events == sorted(events)
        assert set(events) == {1, 2, 3, 4}
        assert {body["type"] for body in seen} == {"OPEN"}
        running.stop()


def test_while_alerts_come_fast_a_slow_ledger_is_told_a_little_at_a_time(tmp_path: Path) -> None:
    """Its rest is a multiple of what a batch took, and has an end."""
    store = Store(tmp_path / "webhook.db", tables.SCHEMA)
    rows = [{"event_id": number, "body": json.dumps({"ts": "t", "number": number})} for number in range(BATCH)]
    store.submit(lambda connection: connection.execute(insert(tables.messages), rows)).result(5)
    with fake_ledger([], slow=PRESSED_SECONDS / 3) as (url, seen):
        sink = PerfSink(store, url)
        assert sink._leads()
        sink.pressed = lambda: True
        assert sink.deliver()
        first = len(seen)
        assert 1 <= first <= 4
        sink.pressed = lambda: False
        assert sink.deliver()
        assert [body["number"] for body in seen] == list(range(BATCH))
        assert not sink.deliver()
    store.close()
