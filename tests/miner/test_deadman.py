"""A host that goes silent is noticed from outside: pings of a check, and peers that ask each other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from miner import deadman
from miner.deadman import DeadMan, Peers
from runtime.keys import Secret
from tests.fakes.healthchecks import UUID, Healthchecks


@pytest.fixture
def service() -> Iterator[Healthchecks]:
    fake = Healthchecks().start()
    yield fake
    fake.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadman, "TRIES_AFTER_S", (0.01, 0.01, 0.01))


class Host:
    """What the monitor says of itself."""

    trouble = ""

    async def __call__(self) -> str:
        if self.trouble == "broken":
            raise RuntimeError("no store")
        return self.trouble


def ping_while(switch: DeadMan, service: Healthchecks, count: int) -> list[str]:
    async def until() -> None:
        task = asyncio.create_task(switch.run())
        await asyncio.to_thread(service.wait_for, count)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(until())
    return service.signals()


def test_it_tells_its_start_and_then_that_it_is_well(service: Healthchecks) -> None:
    signals = ping_while(DeadMan(Secret(service.url), Host(), every=0.02), service, 4)
    assert signals[:4] == ["start", "success", "success", "success"]


def test_what_hinders_it_is_told_with_a_few_words(service: Healthchecks) -> None:
    host = Host()
    host.trouble = "news wait since 12 min: " + "é" * 5000
    ping_while(DeadMan(Secret(service.url), host, every=5), service, 2)
    assert service.pings[1].signal == "fail"
    assert service.pings[1].body.startswith("news wait since 12 min: é")
    assert len(service.pings[1].body.encode()) <= deadman.LONGEST_BODY + 3
    host.trouble = "broken"
    ping_while(DeadMan(Secret(service.url), host, every=5), service, 4)
    assert (service.pings[3].signal, "RuntimeError" in service.pings[3].body) == ("fail", True)


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_what_may_help_is_tried_again(service: Healthchecks, status: int) -> None:
    service.refuse = [status, status]
    pinged = asyncio.run(DeadMan(Secret(service.url), Host()).ping("success"))
    assert pinged.ok
    assert service.signals() == ["success"]


def test_a_check_that_is_not_there_is_asked_once_and_said_once(
    service: Healthchecks, caplog: pytest.LogCaptureFixture
) -> None:
    service.checks.clear()
    switch = DeadMan(Secret(service.url), Host())

    async def twice() -> list[str]:
        return [(await switch.ping("success")).error for _ in range(2)]

    with caplog.at_level(logging.INFO):
        assert asyncio.run(twice()) == ["it answered 404"] * 2
    assert len(caplog.records) == 1
    assert UUID not in caplog.text


@pytest.mark.parametrize("trouble", ["down", "hangs"])
def test_a_service_that_is_away_disturbs_nothing_and_gives_no_secret_away(
    service: Healthchecks, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    if trouble == "down":
        service.stop()
    service.hang = trouble == "hangs"
    switch = DeadMan(Secret(service.url), Host(), timeout=0.2)
    with caplog.at_level(logging.DEBUG):
        assert not asyncio.run(switch.ping("success")).ok
    assert switch.last and UUID not in switch.last.error
    assert UUID not in caplog.text
    service.hang = False
    if trouble == "down":
        service.start()
        assert ping_while(DeadMan(Secret(service.url), Host(), every=5), service, 2)[-1] == "success"


@pytest.mark.parametrize(
    ("url", "signal", "expected"),
    [
        ("https://hc-ping.com/u", "success", "https://hc-ping.com/u"),
        ("https://hc-ping.com/u/", "fail", "https://hc-ping.com/u/fail"),
        ("https://hc.example/ping/k/slug?create=1", "start", "https://hc.example/ping/k/slug/start?create=1"),
    ],
)
def test_a_signals_place_is_before_the_query(url: str, signal: Any, expected: str) -> None:
    assert deadman.signal_url(deadman.check_url(url), signal) == expected


@pytest.mark.parametrize("url", ["hc-ping.com/u", "https://hc.example", "ftp://hc-ping.com/u", "https:///u"])
def test_a_wrong_url_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="expected the ping URL") as failed:
        deadman.check_url(url)
    assert url not in str(failed.value)


class Peer:
    """Another host's monitor: `status` is what its /ready answers."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        handler = type("Handler", (_Ready,), {"peer": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Ready(BaseHTTPRequestHandler):
    peer: Peer

    def do_GET(self) -> None:
        self.send_response(self.peer.status if self.path == "/ready" else 404)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def test_a_peer_that_answers_is_seen_and_one_that_does_not_is_silent_for_longer_and_longer() -> None:
    well, ill, proxy, gone = Peer(), Peer(503), Peer(502), Peer()
    gone.stop()
    peers = Peers({"well": well.url, "ill": ill.url + "/", "proxy": proxy.url, "gone": gone.url})

    async def looks() -> list[dict[str, tuple[float | None, str]]]:
        found = []
        for _ in range(2):
            found.append({one.target: (one.value, one.note) for one in await peers.collect()})
            await asyncio.sleep(0.2)
        return found

    first, second = asyncio.run(looks())
    assert first["well"] == first["ill"] == (0.0, "")
    assert second["proxy"][1] == "it answered 502"
    for name in ("proxy", "gone"):
        assert (second[name][0] or 0) >= 0.2
        assert second[name][1]
    for peer in (well, ill, proxy):
        peer.stop()
