"""What waits too long is told, by one timer for all, each on its own event loop."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakSet

import pytest
from fastapi import Request

from runtime import http
from runtime.time_limit import TimeLimit


def test_only_what_is_not_done_expires_and_only_when_due() -> None:
    expired: list[str] = []

    async def run() -> None:
        limit: TimeLimit[asyncio.Future[str]] = TimeLimit(0.2, lambda future: expired.append(future.get_name()))  # type: ignore[attr-defined]
        slow, quick = asyncio.create_task(_wait(5), name="slow"), asyncio.create_task(_wait(0), name="quick")
        limit.watch(slow)
        limit.watch(quick)
        await asyncio.sleep(0.05)
        assert expired == []
        late = asyncio.create_task(_wait(5), name="late")
        limit.watch(late)
        await asyncio.sleep(0.6)
        slow.cancel()
        late.cancel()

    asyncio.run(run())
    assert expired == ["slow", "late"]


async def _wait(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


def request(*chunks: bytes, ends: bool) -> Request:
    """One whose body comes in `chunks`, and then ends, or never does."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages += [{"type": "http.request", "body": b"", "more_body": False}] if ends else []

    async def receive() -> Any:
        if not messages:
            await asyncio.sleep(60)
        return messages.pop(0)

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_readings", TimeLimit(0.1, http._Reading.expire))
    with pytest.raises(http.TooSlow):
        asyncio.run(http.read_body(request(b"{", ends=False)))
    assert asyncio.run(http.read_body(request(b"{", b"}", ends=True))) == b"{}"


def test_a_reader_whom_somebody_else_cancels_is_cancelled() -> None:
    async def run() -> None:
        task = asyncio.create_task(http.read_body(request(b"{", ends=False)))
        await asyncio.sleep(0.05)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_what_is_done_is_let_go_long_before_it_is_due() -> None:
    """At thousands of alerts a second, ten seconds' worth of finished requests are more memory than the service."""
    limit: TimeLimit[asyncio.Task[str]] = TimeLimit(60, lambda task: None)
    alive: WeakSet[asyncio.Task[str]] = WeakSet()

    async def run() -> None:
        for _ in range(100):
            task = asyncio.create_task(_wait(0))
            alive.add(task)
            limit.watch(task)
            await task
        del task
        assert len(alive) <= 3

    asyncio.run(run())


def test_a_body_that_was_read_keeps_no_task_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even while one that never ends is the first of the list."""
    made: list[http._Reading] = []
    monkeypatch.setattr(http._readings, "watch", made.append)
    assert asyncio.run(http.read_body(request(b"{}", ends=True))) == b"{}"
    assert (made[0].task, made[0].done()) == (None, True)
