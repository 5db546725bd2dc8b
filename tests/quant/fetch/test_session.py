"""ccxt's HTTP without requests: what comes back, and which errors."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from requests import exceptions

from quant.fetch.session import Session
from tests.fakes.listen import end, serve


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        data = gzip.compress("é".encode())
        status = {"/moved": 302, "/round": 302, "/gone": 503}.get(self.path, 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/here" if self.path == "/moved" else "/round")
        if self.path == "/gone":
            self.send_header("Retry-After", "60")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data) + 5 * (self.path == "/short")))
        self.send_header("Connection", "close")  # said, so that nobody asks again on it while it closes
        self.end_headers()
        if self.path == "/slow":
            threading.Event().wait(1)
        self.wfile.write(data)


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    yield f"http://127.0.0.1:{serve(server)}"
    end(server)


def get(url: str) -> Any:
    session = Session(2, {"Accept-Encoding": "gzip"})
    try:
        return session.request("GET", url, data=None, headers=session.headers, timeout=0.4, proxies=None, verify=True)
    finally:
        session.close()


def test_an_answer_is_unpacked_and_a_redirect_followed(url: str) -> None:
    answer = get(f"{url}/moved")
    assert (answer.status_code, answer.text, answer.headers["content-encoding"]) == (200, "é", "gzip")


def test_a_status_is_an_answer_whatever_retry_after_says(url: str) -> None:
    answer = get(f"{url}/gone")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    with pytest.raises(exceptions.HTTPError):
        answer.raise_for_status()


@pytest.mark.parametrize(
    ("place", "kind"),
    [("/slow", exceptions.Timeout), ("/short", exceptions.ConnectionError), ("/round", exceptions.ConnectionError)],
)
def test_errors_are_the_ones_that_ccxt_looks_for(url: str, place: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        get(url + place)


def test_nobody_there() -> None:
    with pytest.raises(exceptions.ConnectionError):
        get("http://127.0.0.1:9")
