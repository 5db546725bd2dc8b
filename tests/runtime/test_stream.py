"""The live stream: told once for all, bounded, and gone at once when the service stops."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from runtime.webui import stream
from runtime.webui.stream import Live, Source, frame

Make = Callable[..., dict[str, Any]]
Frame = tuple[str, dict[str, Any]]


@contextmanager
def listening(url: str, **headers: str) -> Iterator[Iterator[Frame]]:
    """The frames of a stream as they come."""
    with httpx.stream("GET", url, headers=headers, timeout=5) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield frames(answer)


def frames(answer: httpx.Response) -> Iterator[Frame]:
    kind = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            yield kind, json.loads(line[6:])


def first(told: Iterator[Frame], kind: str) -> dict[str, Any]:
    return next(data for name, data in told if name == kind)


def test_an_alert_is_told_within_a_second(service: Callable[..., Any], alert: Make) -> None:
    running = service().start()
    running.post(alert(reason="before"))
    with listening(running.url + "/api/stream") as told:
        hello = first(told, "hello")
        assert [one["reason"] for one in hello["events"]] == ["before"]
        state = first(told, "state")
        assert state["state"]["events_total"] == 1
        assert state["ready"]["checks"]["store"] == "ok"
        begun = time.monotonic()
        running.post(alert(reason="after", symbol="XAGUSD"))
        assert [one["reason"] for one in first(told, "events")["events"]] == ["after"]
        assert time.monotonic() - begun < 2
        assert first(told, "state")["state"]["events_total"] == 2


def test_refused_alerts_are_told_with_their_reason(service: Callable[..., Any], alert: Make) -> None:
    running = service().start()
    with listening(running.url + "/api/stream") as told:
        first(told, "hello")
        running.post(alert(sl=2500))
        (refused,) = first(told, "events")["events"]
    assert refused["_outcome"] == "invalid"
    assert "sl" in refused["_why"]


def test_one_who_comes_back_is_told_what_was_missed(service: Callable[..., Any], alert: Make) -> None:
    running = service().start()
    for number in range(4):
        running.post(alert(engine="TV_TEST", reason=str(number)))
    with listening(running.url + "/api/stream", **{"Last-Event-ID": "2"}) as told:
        hello = first(told, "hello")
    assert [one["reason"] for one in hello["events"]] == ["3", "2"]
    assert not hello["missed"]
    for wrong in ("-1", "x", "9" * 40, "²"):
        with listening(running.url + "/api/stream?after=" + wrong) as told:
            assert len(first(told, "hello")["events"]) == 4


def test_a_stop_ends_every_stream_at_once(service: Callable[..., Any]) -> None:
    for module, path in (("runtime.webhook", "/api/stream"), ("runtime.perf", "/perf/stream")):
        running = service(module).start()
        with listening(running.url + path) as told:
            first(told, "hello")
            begun = time.monotonic()
            running.stop()
            list(told)  # to its end, which is in order: a torn answer would raise
            assert time.monotonic() - begun < 1.5
        assert not any("ERROR" in line or "Traceback" in line for line in running.said)


def test_a_head_request_ends(service: Callable[..., Any]) -> None:
    running = service().start()
    assert httpx.head(running.url + "/api/stream", timeout=2).status_code == 200


def test_the_ledgers_stream_tells_each_change(service: Callable[..., Any]) -> None:
    running = service("runtime.perf").start()
    opening = {"type": "OPEN", "trade_id": "t", "engine": "E", "symbol": "S", "side": "LONG", "entry": 100, "qty": 1}
    with listening(running.url + "/perf/stream") as told:
        assert first(told, "ledger")["open"] == []
        running.post(opening | {"stop": 95}, "/perf/event")
        while not (found := first(told, "ledger"))["open"]:
            pass
    assert found["summary"]["open_trades"] == 1


def test_the_ledgers_stream_wants_the_token_from_elsewhere(perf_app: Any) -> None:
    from starlette.testclient import TestClient

    with TestClient(perf_app.app, client=("192.0.2.7", 5)) as client:
        assert client.get("/perf/ui").status_code == 200
        assert client.get("/perf/stream").status_code == 401


class Counting(Source):
    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    async def hello(self, after: int | None) -> list[bytes]:
        return [frame("hello", {"after": after})]

    async def news(self) -> list[bytes]:
        self.asked += 1
        if self.fails:
            raise OSError("gone")
        return [frame("news", {"n": self.asked})]


class Caller:
    """One who listens, in this process; `reads` False: who takes nothing more."""

    def __init__(self, *, reads: bool = True) -> None:
        self.heard: list[bytes] = []
        self.reads = reads
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if not self.reads:
            await asyncio.Event().wait()
        self.heard.append(message.get("body", b""))

    def listen(self, live: Live) -> asyncio.Task[None]:
        answer = live.connect(None)
        return asyncio.create_task(answer({"type": "http", "method": "GET"}, self.receive, self.send))


def test_the_source_is_asked_once_however_many_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.05)

    async def run() -> None:
        source = Counting()
        live = Live(source, gap=0.01)
        callers = [Caller() for _ in range(10)]
        tasks = [one.listen(live) for one in callers]
        await asyncio.sleep(0.3)
        assert 3 <= source.asked <= 30
        told = [next(body for body in one.heard if b"event: news" in body) for one in callers]
        assert all(body is told[0] for body in told), "made once, not once a listener"
        for one in callers:
            one.gone.set()
        await asyncio.gather(*tasks)
        asked = source.asked
        await asyncio.sleep(0.1)
        assert (live.listeners, source.asked) == (0, asked), "nobody listens: nothing is asked"

    asyncio.run(run())


def test_one_who_does_not_keep_up_is_let_go_and_the_others_hear_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.05)

    async def run() -> None:
        live = Live(Counting(), gap=0.01)
        quick, slow = Caller(), Caller()
        tasks = [quick.listen(live), slow.listen(live)]
        await asyncio.sleep(0.05)
        slow.reads = False
        await asyncio.wait_for(tasks[1], 2)
        assert live.listeners == 1
        heard = len(quick.heard)
        await asyncio.sleep(0.15)
        assert len(quick.heard) > heard
        live.close()
        await asyncio.wait_for(tasks[0], 1)
        assert quick.heard[-1] == b"", "ended in order"

    asyncio.run(run())


def test_a_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = stream._Listener()
    for _ in range(stream.QUEUE + 5):
        listener.tell(b"x")
    assert listener.queue.qsize() == 1
    assert listener.queue.get_nowait() is None


def test_too_many_and_too_late_are_told_when_to_come_back() -> None:
    async def run() -> None:
        live = Live(Counting(), most=1)
        caller = Caller()
        task = caller.listen(live)
        await asyncio.sleep(0.05)
        full = live.connect(None)
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        live.close()
        await task
        assert live.connect(None).status_code == 503

    asyncio.run(run())


def test_a_store_that_cannot_be_read_is_said_and_the_stream_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.05)

    async def run() -> None:
        source = Counting()
        source.fails = True
        live, caller = Live(source, gap=0.01), Caller()
        task = caller.listen(live)
        await asyncio.sleep(0.1)
        assert any(b"event: trouble" in body for body in caller.heard)
        assert any(b"event: beat" in body for body in caller.heard)
        source.fails = False
        await asyncio.sleep(0.1)
        assert any(b"event: news" in body for body in caller.heard)
        live.close()
        await task

    asyncio.run(run())
