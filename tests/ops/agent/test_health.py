"""The health gate asks real servers: one that answers, one that is sick, one that talks nonsense, one that hangs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from ops.agent import health
from ops.agent.host import HostError
from ops.checks import http

Serve = Callable[..., dict[str, Any]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(b"answer", ...) -> a check of a server that gives these answers in turn, the last one for ever."""
    servers: list[socket.socket] = []
    over = threading.Event()

    def run(server: socket.socket, answers: list[Any]) -> None:
        with suppress(OSError):
            while True:
                caller, _ = server.accept()
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                with caller, suppress(OSError):
                    caller.recv(4096)
                    answer(caller, over) if callable(answer) else caller.sendall(answer)

    def start(*answers: Any, within: float = 0.3, status: int = 200) -> dict[str, Any]:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=run, args=(server, list(answers)), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/ready"
        return http(url, unit="", status=status, within=within).json("web")

    yield start
    over.set()
    for server in servers:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def answer(status: str, body: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def problem(check: dict[str, Any]) -> str:
    with pytest.raises(HostError) as caught:
        health.wait(check)
    return str(caught.value)


def test_the_wanted_status_passes(serve: Serve) -> None:
    health.wait(serve(answer("200 OK", "ready")))
    health.wait(serve(answer("204 No Content"), status=204))


def test_another_status_is_told_with_its_body(serve: Serve) -> None:
    told = problem(serve(answer("503 Service Unavailable", "the store is read-only")))
    assert told.endswith("/ready should answer 200 within 0.3 s: it answered 503 the store is read-only")


def test_it_waits_for_a_service_that_is_still_starting(serve: Serve) -> None:
    health.wait(serve(answer("503 Starting"), answer("503 Starting"), answer("200 OK"), within=3))


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\xff\xfe\x00", b"", b"HTTP/1.1"])
def test_what_is_not_http_is_shown(serve: Serve, said: bytes) -> None:
    assert "it answered something that is not HTTP: '" in problem(serve(said))


def test_nobody_listening_is_no_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert "no answer ([Errno 111] Connection refused)" in problem(http(url, unit="", within=0.1).json("web"))


def test_a_service_that_hangs_is_given_up_in_time(serve: Serve) -> None:
    start = time.monotonic()
    assert "no answer (timed out)" in problem(serve(lambda caller, over: over.wait(5)))
    assert time.monotonic() - start < 2


def test_a_service_that_dribbles_is_given_up_in_time(serve: Serve) -> None:
    def dribble(caller: socket.socket, over: threading.Event) -> None:
        while not over.wait(0.05):
            caller.sendall(b"H")

    start = time.monotonic()
    assert "no answer (timed out)" in problem(serve(dribble))
    assert time.monotonic() - start < 2


def test_an_endless_answer_is_not_read_to_its_end(serve: Serve) -> None:
    health.wait(serve(answer("200 OK") + b"x" * 200_000))
