"""Runs each collector by itself: its own interval, its own time limit, and nobody waits for another.

Looks are taken at multiples of the interval on one clock, so that those of equal interval come together and one cycle
has them all.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from miner.monitor.board import Board
from miner.readings import Reading
from runtime import clock

log = logging.getLogger("miner.monitor")


class Collector(Protocol):
    """Measures something. `every` and `timeout` in seconds; `collect` runs on the event loop and MUST leave it free."""

    name: str
    every: float
    timeout: float

    async def collect(self) -> list[Reading]:
        """What is measured now. Raises anything: what it measured before is then unknown."""
        ...


class Blocking(Collector, ABC):
    """One whose `measure` may block, on a disk or a network file system: it gets a thread, and at most one.

    A thread cannot be ended. One that hangs is left alone until it comes back, and keeps no service from ending.
    """

    def __init__(self) -> None:
        self._under_way: asyncio.Future[list[Reading]] | None = None

    @abstractmethod
    def measure(self) -> list[Reading]:
        """Like `collect`, in a thread."""

    async def collect(self) -> list[Reading]:
        if self._under_way is None or self._under_way.done():
            self._under_way = in_thread(self.measure, self.name)
        return await asyncio.shield(self._under_way)


def in_thread(work: Callable[[], Any], name: str) -> asyncio.Future[Any]:
    """What `work` returns or raises, from a thread that nobody waits for at the end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
            future.exception()  # whoever still waits is told; nobody else need be

    def run() -> None:
        try:
            outcome: tuple[Any, BaseException | None] = (work(), None)
        except Exception as error:
            outcome = (None, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


class Runner:
    """One collector's life."""

    def __init__(self, collector: Collector, board: Board) -> None:
        self._collector = collector
        self._board = board
        self._measured: dict[tuple[str, str], None] = {}
        self.trouble = ""

    @property
    def name(self) -> str:
        return self._collector.name

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._board.put(await self.once())
            await asyncio.sleep(_until_next(self._collector.every))

    async def once(self) -> list[Reading]:
        """What was measured; or, of all that was measured before, that it is not known now, and why."""
        try:
            async with asyncio.timeout(self._collector.timeout):
                found = await self._collector.collect()
        except TimeoutError:
            return self._failed(f"no answer within {self._collector.timeout:g} s")
        except Exception as error:
            return self._failed(f"{type(error).__name__}: {error}"[:200])
        self._worked()
        self._measured.update(dict.fromkeys((one.metric, one.target) for one in found))
        return found

    def _failed(self, why: str) -> list[Reading]:
        if why != self.trouble:
            log.warning("%s cannot be measured: %s", self.name, why)
        self.trouble = why
        return [Reading(metric, target, None, why) for metric, target in self._measured]

    def _worked(self) -> None:
        if self.trouble:
            log.info("%s is measured again", self.name)
        self.trouble = ""


def _until_next(every: float) -> float:
    return every - clock.steady() % every


def start(collectors: Iterable[Collector], board: Board) -> tuple[list[Runner], list[asyncio.Task[None]]]:
    runners = [Runner(one, board) for one in collectors]
    return runners, [asyncio.create_task(one.run(), name=one.name) for one in runners]
