"""The dashboard's look at the ledger: passed on, kept for a moment, and never at an alert's expense."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def hanging() -> Iterator[str]:
    """A ledger that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as sock:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def dripping() -> Iterator[str]:
    """A ledger that sends a byte now and then, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        over = threading.Event()

        def drip(line: socket.socket) -> None:
            with line:
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not over.wait(0.2):
                    try:
                        line.sendall(b"x")
                    except OSError:
                        return

        def serve() -> None:
            while not over.is_set():
                try:
                    line, _ = sock.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(line,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        over.set()


def test_the_ledgers_own_answers_are_passed_on(service: Callable[..., Any], environ: dict[str, str]) -> None:
    ledger = service("runtime.perf").start()
    environ["PERF_URL"] = ledger.url
    running = service().start()
    for name in ("summary", "equity?points=10", "kpi?by=engine", "open"):
        assert running.get(f"/api/perf/{name}") == ledger.get(f"/perf/{name}"), name
    assert httpx.get(running.url + "/api/perf/equity?points=1").status_code == 400
    assert httpx.get(running.url + "/api/perf/export").status_code == 404


def test_a_ledger_that_is_down_is_said(webhook: Any) -> None:
    answer = webhook.get("/api/perf/summary")
    assert (answer.status_code, answer.json()["error"]) == (502, "the ledger does not answer")


@pytest.mark.parametrize("kind", ["hanging", "dripping"])
def test_a_ledger_that_hangs_costs_a_second_and_no_alert(
    service: Callable[..., Any], environ: dict[str, str], alert: Make, request: pytest.FixtureRequest, kind: str
) -> None:
    environ["PERF_URL"] = request.getfixturevalue(kind)
    running = service().start()
    answers: list[tuple[int, float]] = []

    def ask(name: str) -> None:
        begun = time.monotonic()
        status = httpx.get(f"{running.url}/api/perf/{name}", timeout=10).status_code
        answers.append((status, time.monotonic() - begun))

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("summary", "kpi", "open", "equity") * 5]
    for thread in threads:
        thread.start()
    times = []
    for number in range(20):
        begun = time.monotonic()
        assert running.post(alert(engine="TV_TEST", reason=str(number))).status_code == 200
        times.append(time.monotonic() - begun)
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [502] * 20
    assert max(seconds for _, seconds in answers) < 5
    assert sorted(times)[10] < 0.5


def test_from_another_machine_the_ledgers_figures_need_the_operators_key(webhook: Any, elsewhere: Any) -> None:
    assert elsewhere.get("/api/perf/summary").status_code == 401
    key = {"x-ops-key": "ops-key-of-the-tests"}
    assert elsewhere.get("/api/perf/summary", headers=key).status_code == 502
    through_a_tunnel = {"x-forwarded-for": "203.0.113.9"}
    assert webhook.get("/api/perf/summary", headers=through_a_tunnel | key).status_code == 403
