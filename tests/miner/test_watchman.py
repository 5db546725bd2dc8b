"""A watchman over its store, and its notices in the webhook's: what a person would be told, and how often."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from miner.alerts import rules, tables
from miner.alerts.watch import Watchman
from miner.readings import Cycle, Moment, Reading
from runtime.store import Store
from tests.miner.alert_kit import OLD, moment, reading

ZONE = ZoneInfo("Europe/Paris")


class Clock:
    """A machine's time, which tests move."""

    def __init__(self) -> None:
        self.steady, self.boot, self.shift = OLD, "one", 0.0

    def __call__(self) -> Moment:
        return moment(self.steady, boot=self.boot, shift=self.shift)


class Bench:
    """A folder with the monitor's store and the webhook's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.webhook = folder / "webhook.db"
        self.figures: dict[str, Any] = {}

    @asynccontextmanager
    async def watchman(self, text: str = "{}", *, language: Any = "en", run: bool = True) -> AsyncIterator[Watchman]:
        store = Store(self.folder / "monitor.db", tables.SCHEMA)
        options = {"host": "rig", "language": language, "zone": ZONE, "now": self.clock, "figures": self._figures}
        made = Watchman(store, rules.load(text), hand_over=self.webhook, **options)
        work = asyncio.create_task(made.run()) if run else None
        try:
            yield made
        finally:
            if work:
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work
            store.close()

    async def _figures(self) -> dict[str, Any]:
        return self.figures

    async def read(self, watchman: Watchman, *readings: Reading, after: float = 5.0) -> None:
        """A cycle, and half a second more."""
        self.clock.steady += after
        await watchman.observe(Cycle(self.clock(), readings))
        self.clock.steady += 0.5
        await watchman.observe(Cycle(self.clock(), ()))

    def told(self) -> list[tuple[str, str]]:
        """(kind, text) of what the webhook's store has."""
        if not self.webhook.exists():
            return []
        with closing(sqlite3.connect(self.webhook)) as connection:
            try:
                return connection.execute("SELECT kind, text FROM health ORDER BY id").fetchall()
            except sqlite3.OperationalError:
                return []

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def gone(name: str = "A") -> Reading:
    return reading("stick.present", 0, name)


def there(name: str = "A") -> Reading:
    return reading("stick.present", 1, name)


def test_a_stick_that_is_unplugged_is_told_once_and_its_end_once(bench: Bench) -> None:
    async def play() -> None:
        async with bench.watchman() as watchman:
            for one in (there(), gone(), gone(), gone()):
                await bench.read(watchman, one)
            assert [one.text for one in watchman.standing()] == ["stick A is unplugged"]
            for _ in range(4):
                await bench.read(watchman, there())
            assert watchman.standing() == ()
            await bench.until(lambda: len(bench.told()) == 2)
            assert bench.told()[0] == ("firing", "🟠 stick A is unplugged")
            assert bench.told()[1][1].startswith("✅ stick A is unplugged — over after 1")

    asyncio.run(play())
