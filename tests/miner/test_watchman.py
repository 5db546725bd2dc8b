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

    def told_or_nothing(self) -> list[tuple[str, str]]:
        return self.told() if self.webhook.is_file() else []

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


def test_what_falls_together_is_one_notice_and_the_worst_goes_first(bench: Bench) -> None:
    async def play() -> None:
        async with bench.watchman(language="fr") as watchman:
            await bench.read(watchman, there(), there("B"))
            await bench.read(watchman, gone(), reading("hub.present", 0, "1-2"), gone("B"))
            await bench.until(lambda: bench.told())
            (only,) = bench.told()
            lines = only[1].split("\n")
            assert lines[0] == "3 alertes"
            assert lines[1].startswith("🔴 hub USB 1-2 absent")
            assert sorted(lines[2:]) == ["🟠 clé A débranchée", "🟠 clé B débranchée"]

    asyncio.run(play())


def test_a_storm_is_gathered_and_nothing_of_it_is_lost(bench: Bench) -> None:
    async def play() -> None:
        async with bench.watchman(run=False) as watchman:
            names = [f"S{number:03}" for number in range(120)]
            await bench.read(watchman, *map(there, names))
            for name in names:
                await bench.read(watchman, gone(name), after=0.1)
            bench.clock.steady += 30
            await watchman.observe(Cycle(bench.clock(), ()))
        async with bench.watchman():
            await bench.until(lambda: sum(text.count("is unplugged") for _, text in bench.told()) >= 120)
            text = "\n".join(text for _, text in bench.told())
            assert all(text.count(f"stick {name} is unplugged") == 1 for name in names)
            assert len(bench.told()) <= 20 + 20 + 10

    asyncio.run(play())


def test_mutes_end_by_themselves_on_the_steady_clock_and_outlive_a_restart(bench: Bench) -> None:
    async def play() -> None:
        async with bench.watchman(run=False) as watchman:
            await watchman.mute("stick.*", 600, "phone")
            await bench.read(watchman, gone())
            assert [one.silence for one in watchman.standing()] == ["muted"]
        bench.clock.shift = 86_400.0  # somebody turned the clock: ten minutes are ten minutes
        async with bench.watchman() as watchman:
            await bench.read(watchman, gone())
            (mute,) = watchman.mutes()
            assert (mute.scope, mute.by) == ("stick.*", "phone")
            assert bench.told() == []
            await bench.read(watchman, gone(), after=600)
            await bench.read(watchman, gone())
            await bench.until(lambda: bench.told())
            assert watchman.mutes() == ()
            await watchman.mute("*", 600, "phone")
            await watchman.unmute("*", "phone")
            assert watchman.mutes() == ()

    asyncio.run(play())


def test_a_notice_of_ones_own_is_told_once_for_each_key(bench: Bench) -> None:
    async def play() -> None:
        for _ in range(2):
            async with bench.watchman() as watchman:
                await watchman.tell("action", "warning", "restarting cgminer", "restart:1")
                await watchman.tell("action", "warning", "restarting cgminer", "restart:1")
                await watchman.tell("action", "info", "done", "restart:1:done")
                await bench.until(lambda: len(bench.told()) == 2)
        assert [text for _, text in bench.told()] == ["restarting cgminer", "done"]

    asyncio.run(play())


def test_a_webhooks_store_that_is_not_there_is_waited_for_and_holds_up_nothing(bench: Bench) -> None:
    bench.webhook.mkdir()

    async def play() -> None:
        async with bench.watchman() as watchman:
            await bench.read(watchman, gone())
            await bench.read(watchman, there())
            await bench.read(watchman, there())
            assert bench.told_or_nothing() == []
            bench.webhook.rmdir()
            await bench.until(lambda: len(bench.told_or_nothing()) == 2)

    asyncio.run(play())


def test_the_day_is_summed_up_once_also_when_nobody_watched_at_that_hour(bench: Bench) -> None:
    bench.figures = {"ghs": 340.5, "expected_ghs": 360.0, "accepted": 12, "rejected": 1, "best_share": 5.3e6}

    async def play() -> None:
        async with bench.watchman() as watchman:
            await bench.read(watchman, gone())
            await bench.until(lambda: bench.told())
        bench.clock.steady += 86_400
        for _ in range(2):
            async with bench.watchman() as watchman:
                await bench.until(lambda: len(bench.told()) >= 2)
        kind, text = bench.told()[1]
        assert kind == "summary"
        for words in ("340.5 GH/s of 360", "12 accepted, 1 rejected, 0 stale", "5.3 M", "stick.missing × 1"):
            assert words in text
        assert "standing: stick A is unplugged" in text
        assert [kind for kind, _ in bench.told()].count("summary") == 1

    asyncio.run(play())


def test_a_reboot_is_told_once(bench: Bench) -> None:
    async def play() -> None:
        async with bench.watchman() as watchman:
            await bench.read(watchman, there())
        bench.clock.boot, bench.clock.steady = "two", 30.0
        async with bench.watchman() as watchman:
            await bench.read(watchman, there())
            await bench.read(watchman, there())
            await bench.until(lambda: bench.told())
            assert bench.told() == [("info", "🔄 the machine was restarted")]

    asyncio.run(play())


def test_a_store_that_fails_loses_no_change_and_repeats_none(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        async with bench.watchman() as watchman:
            await bench.read(watchman, there())
            with closing(sqlite3.connect(bench.folder / "monitor.db", isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                bench.clock.steady += 5
                assert await watchman.observe(Cycle(bench.clock(), (gone(),))) == ()
                assert watchman.trouble
                other.execute("ROLLBACK")
            await bench.read(watchman, gone())
            await bench.read(watchman, there())
            await bench.read(watchman, there())
            await bench.until(lambda: len(bench.told()) == 2)
            assert watchman.trouble == ""
            assert [kind for kind, _ in bench.told()] == ["firing", "resolved"]

    asyncio.run(play())
