"""The short way to an answer: who takes it, and that nobody can tell it from the long one."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest
import uvicorn

from runtime import api, http
from runtime.direct import Protocol

HEADERS = b"Host: x\r\nX-Request-Id: mine\r\n"


class Counted(http.Edge):
    """Counts who came the short way."""

    short = 0

    async def answer(self, scope: http.Scope, body: bytes) -> http.Answer:
        self.short += 1
        return await super().answer(scope, body)


@dataclass
class Served:
    """Uvicorn in a thread. An alert that says `wait` is answered once `go` is set; `bug` is a fault of ours."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        app = api.Api(default_response_class=http.JsonResponse)
        app.post_directly("/x", self.echo)
        api.install(app)
        self.edge = Counted(app)
        config = uvicorn.Config(
            self.edge,
            port=0,
            http=Protocol,
            log_config=None,
            server_header=False,
            timeout_keep_alive=1,
            ws="none",
            proxy_headers=False,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    async def echo(self, scope: http.Scope, body: bytes) -> http.JsonResponse:
        if body == b"wait":
            self.asked.set()
            await self.go.wait()
        if body == b"bug":
            raise KeyError("bug")
        return http.JsonResponse({"got": body.decode(), "path": scope["path"], "method": scope["method"]})

    @property
    def address(self) -> tuple[str, int]:
        name: tuple[str, int] = self.server.servers[0].sockets[0].getsockname()
        return name

    def let_go(self) -> None:
        self.server.servers[0].get_loop().call_soon_threadsafe(self.go.set)

    def talk(self, *pieces: bytes, pause: float = 0.05) -> bytes:
        """Everything it says to these, sent one after the other, until it closes or has been silent for a while."""
        with closing(socket.create_connection(self.address)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(pause)
                line.sendall(piece)
            return heard(line)


def heard(line: socket.socket, seconds: float = 0.4) -> bytes:
    line.settimeout(seconds)
    said = b""
    try:
        while piece := line.recv(65536):
            said += piece
    except TimeoutError:
        pass
    return said


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    one.thread.start()
    limit = time.monotonic() + 10
    while not one.server.started:
        assert time.monotonic() < limit
        time.sleep(0.01)
    yield one
    one.server.should_exit = True
    one.let_go()
    one.thread.join(10)


def post(body: bytes = b"hello", *headers: str, path: str = "/x", version: str = "1.1") -> bytes:
    more = "".join(f"{header}\r\n" for header in headers)
    length = "" if "Transfer-Encoding: chunked" in headers else f"Content-Length: {len(body)}\r\n"
    return f"POST {path} HTTP/{version}\r\n".encode() + HEADERS + f"{length}{more}\r\n".encode() + body


def undated(said: bytes) -> bytes:
    return b"\r\n".join(line for line in said.split(b"\r\n") if not line.startswith(b"date: "))


def split(request: bytes) -> tuple[bytes, bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


@pytest.mark.parametrize("body", [b"hello", b"", b"bug", "é".encode(), b"\xff"])
def test_nobody_can_tell_the_two_ways_apart(served: Served, body: bytes) -> None:
    short = served.talk(post(body))
    assert served.edge.short == 1
    head, rest = split(post(body))
    long = served.talk(head, rest) if rest else served.talk(head[:20], head[20:])
    assert served.edge.short == 1 + (not rest)
    assert undated(short) == undated(long)
    assert short.startswith(b"HTTP/1.1 500" if body in (b"bug", b"\xff") else b"HTTP/1.1 200")
    assert b"x-request-id: mine\r\n" in short
    assert b"\r\ndate: " in short


def test_one_connection_may_ask_again_and_again(served: Served) -> None:
    said = served.talk(post(b"1"), post(b"2"), post(b"3"), post(b"4", path="/x?y"), post(b"5"))
    assert [said.count(f'"got":"{number}"'.encode()) for number in range(1, 6)] == [1] * 5
    assert served.edge.short == 4


@pytest.mark.parametrize(
    ("request_", "status", "short"),
    [
        (post(b"5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), b"200", 1),
        (post(path="/x?y=1"), b"200", 0),
        (post(path="/%78"), b"200", 0),
        (post(path="/y"), b"404", 0),
        (post(b"hello", "Expect: 100-continue"), b"200", 0),
        (post(b"hello", "Connection: close"), b"200", 0),
        (post(version="1.0"), b"200", 0),
        (post(b"hello", "Connection: Upgrade", "Upgrade: websocket"), b"200", 0),
        (post(b"x" * (http.MAX_BODY + 1)), b"413", 0),
        (b"GET /x HTTP/1.1\r\n" + HEADERS + b"\r\n", b"405", 0),
    ],
)
def test_what_is_unusual_goes_the_long_way(served: Served, request_: bytes, status: bytes, short: int) -> None:
    said = served.talk(request_)
    assert b" " + status + b" " in said.partition(b"\r\n")[0] or b"HTTP/1.1 " + status in said
    assert served.edge.short == short
    assert served.talk(post()).startswith(b"HTTP/1.1 200")


def test_a_body_in_many_pieces_is_waited_for(served: Served) -> None:
    request = post(b"hello")
    said = served.talk(*(request[at : at + 1] for at in range(len(request))), pause=0.002)
    assert b'"got":"hello"' in said
    assert said.count(b"HTTP/1.1 200") == 1


def test_requests_on_each_others_heels_are_answered_in_their_order(served: Served) -> None:
    said = served.talk(post(b"1") + post(b"2") + b"GET /x HTTP/1.1\r\n" + HEADERS + b"\r\n" + post(b"3"))
    assert served.edge.short == 1
    where = [said.index(word) for word in (b'"got":"1"', b'"got":"2"', b" 405 ", b'"got":"3"')]
    assert where == sorted(where)
    assert said.count(b"HTTP/1.1 200") == 3


def test_garbage_after_an_alert_ends_the_connection_and_nothing_else(served: Served) -> None:
    said = served.talk(post(b"1") + b"garbage\r\n\r\n")
    assert b"HTTP/1.1 400" in said
    said = served.talk(post(b"1")[:-1] + b"1" + b"\x00\x01 nonsense")
    assert served.talk(post(b"again")).startswith(b"HTTP/1.1 200")


def test_garbage_in_the_middle_of_an_alert(served: Served) -> None:
    said = served.talk(post(b"zz\r\n", "Transfer-Encoding: chunked"))
    assert said.startswith(b"HTTP/1.1 400")
    assert served.talk(post()).startswith(b"HTTP/1.1 200")


def test_who_leaves_before_the_answer_leaves_no_trace(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with closing(socket.create_connection(served.address)) as line:
        line.sendall(post(b"wait"))
        assert served.asked.wait(5)
    time.sleep(0.1)
    served.let_go()
    assert served.talk(post()).startswith(b"HTTP/1.1 200")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_fault_in_answering_ends_the_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.edge, "_dress", lambda *_: 1 / 0)
    began = time.monotonic()
    assert served.talk(post()) == b""
    assert time.monotonic() - began < 0.3
    monkeypatch.undo()
    assert served.talk(post()).startswith(b"HTTP/1.1 200")


def test_a_second_request_waits_for_the_first(served: Served) -> None:
    with closing(socket.create_connection(served.address)) as line:
        line.sendall(post(b"wait"))
        assert served.asked.wait(5)
        line.sendall(post(b"next"))
        assert heard(line, 0.2) == b""
        served.let_go()
        said = heard(line)
    assert said.index(b'"got":"wait"') < said.index(b'"got":"next"')


def test_a_server_that_stops_answers_first_and_says_goodbye(served: Served) -> None:
    with closing(socket.create_connection(served.address)) as line:
        line.sendall(post(b"wait"))
        assert served.asked.wait(5)
        served.server.should_exit = True
        time.sleep(0.3)
        served.let_go()
        said = heard(line, 5)
    assert b'"got":"wait"' in said
    assert b"connection: close\r\n" in said


def test_an_idle_connection_is_closed(served: Served) -> None:
    with closing(socket.create_connection(served.address)) as line:
        line.sendall(post())
        began = time.monotonic()
        assert b'"got":"hello"' in heard(line, 5)
        assert 0.8 < time.monotonic() - began < 4


def test_a_draining_service_says_goodbye(served: Served) -> None:
    served.edge.draining = True
    began = time.monotonic()
    assert b"connection: close\r\n" in served.talk(post())
    assert served.edge.short == 1
    assert time.monotonic() - began < 0.3
