"""The service: its collectors, its cycle, its memory, and what it can be asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from miner import notes
from miner.actions import Actions, Hand, Ledger, Policy
from miner.alerts.rules import Rules
from miner.alerts.summary import Figures
from miner.alerts.watch import Watchman
from miner.deadman import DeadMan, Peers
from miner.monitor import shown
from miner.monitor.again import Again
from miner.monitor.api import Api, Outcome
from miner.monitor.board import Board
from miner.monitor.collect.ages import Backups, Drift, Journal
from miner.monitor.collect.blockdag import BlockDag
from miner.monitor.collect.clocks import Clocks
from miner.monitor.collect.expiry import Expiry
from miner.monitor.collect.host import Disks, Host, Sensors
from miner.monitor.collect.mining import Mining
from miner.monitor.collect.nodes import Nodes
from miner.monitor.collect.services import Outbox, Ready
from miner.monitor.collect.sticks import FAREWELL_SECONDS, Sticks
from miner.monitor.collect.tunnel import Tunnel
from miner.monitor.collect.units import Units
from miner.monitor.history import History, Point
from miner.monitor.pulse import Pulse
from miner.monitor.schedule import Collector, Runner, in_thread
from miner.monitor.settings import MonitorSettings
from miner.readings import Cycle
from miner.shown import miner
from miner.usb import access
from miner.usb.hotplug import Hotplug
from runtime import clock, readiness
from runtime.payload import Json
from runtime.store import Store

HISTORY, ACTIONS = "readings.db", "actions.jsonl"
HUNG_SECONDS = 30.0
BUS = ("stick.present", "stick.usable", "hub.present")
"""What a look at the bus says anew."""

log = logging.getLogger("miner.monitor")


class Monitor:
    """`store` is the monitor's own. What is opened at the start is closed at the end (`lifespan`), the store too."""

    def __init__(self, settings: MonitorSettings, store: Store, rules: Rules, policy: Policy) -> None:
        """Raises StoreError, OSError."""
        self.settings, self._store = settings, store
        self.started = clock.now()
        self.number = 0
        """Grows with each cycle, whole or not: what is shown has changed."""
        self.board = Board(lambda: self.pulse.hurry())
        self._make_collectors()
        self.collectors = tuple(self._collectors())
        self.runners = [Runner(one, self.board) for one in self.collectors]
        self._bus = next(one for one in self.runners if one.name == Sticks.name)
        self.pulse = Pulse(self.board, self._within, self._observe, settings.interval)
        self.hotplug = Hotplug(self._plugged, settings.sysfs)
        self._again = Again(self._look_again)
        self.watchman = self._made_watchman(rules)
        self._actions = self._made_actions(policy)
        self.api = Api(self)
        self._history: History | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def alive(self) -> bool:
        """False when cycles do not come any more, or nothing can be stored: only a new process helps."""
        return self._store.alive and clock.steady() - self.pulse.beaten < self.settings.interval + HUNG_SECONDS

    def stopping(self) -> None:
        self.api.live.close()

    async def problems(self) -> dict[str, str | None]:
        """For /ready: what of its own work fails. What it watches is another matter."""
        late = clock.steady() - self.pulse.beaten
        cycle = f"no cycle for {late:.0f} s" if late > self.settings.interval * 2 + 5 else None
        disk = readiness.disk_problem([self.settings.state], self.settings.watch.min_free)
        return {"cycle": cycle, "store": await readiness.store_problem(self._store), "disk": disk}

    def monitor(self) -> Json:
        """For GET /api/monitor."""
        restarts = {name: one.restarts for name, one in self._units.shown.items()}
        standing = self.watchman.standing()
        return {
            "host": self.settings.host,
            "at": clock.iso(clock.now()),
            "uptime_s": round(self.pulse.now().steady, 1),
            "ok": not any(not one.muted for one in standing),
            "alerts": shown.alerts(standing),
            "mutes": shown.mutes(self.watchman.mutes()),
            "units": shown.units(self.board.latest, restarts, self.settings.language),
            "readings": shown.readings(self.board.latest.values(), self.settings.language),
            "actions": self._acted(),
        }

    def miner(self) -> Json:
        """For GET /api/miner."""
        mining, sticks = self._mining, self._sticks
        usable = {key: sticks.usable(key) for key in sticks.known}
        pairs = shown.pairs(mining.sticks if mining else {}, sticks.known, sticks.present, usable)
        if mining is None:
            return miner("off", "", None, pairs, self.settings.miner.watts)
        why = notes.told(mining.why, "miner.api", self.settings.language)
        return miner(mining.api, why, mining.state, pairs, self.settings.miner.watts)

    async def series(self, metric: str, target: str, since: float, until: float, points: int) -> list[Point]:
        if self._history is None:
            return []
        found: list[Point] = await in_thread(
            partial(self._history.series, metric, target, since, until, points), "series"
        )
        return found

    def forget(self, key: str) -> bool:
        """Stop missing a stick. False: it is plugged in, or was never known."""
        if not self._sticks.forget(key):
            return False
        self.board.put(self._sticks.readings())
        for metric, target in self._sticks.leaving:
            kind = f"{metric.partition('.')[0]}."
            asyncio.get_running_loop().call_later(FAREWELL_SECONDS + 1, self._farewell, target, kind)
        self.number += 1
        return True

    def _farewell(self, target: str, kind: str) -> None:
        """Nothing is known of it any more, unless it came back meanwhile."""
        if target not in self._sticks.known and target not in self._sticks.within().values():
            self.board.forget(target, kind)

    async def restart(self, what: str, why: str, by: str) -> Outcome:
        return await self._actions.begin(what, why, by)

    @asynccontextmanager
    async def lifespan(self, _: Any) -> AsyncIterator[None]:
        self._history = History(self.settings.state / HISTORY, self.settings.readings_limit)
        await self._actions.open()
        self._tasks = [asyncio.create_task(one) for one in self._work()]
        try:
            yield
        finally:
            self.api.live.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._actions.close()
            self._history.close()
            self._store.close()

    def _work(self) -> Iterator[Any]:
        for runner in self.runners:
            yield runner.run()
        yield from (self.pulse.run(), self.hotplug.run(), self.watchman.run(), self._again.run())
        if self.settings.ping.reveal():
            yield DeadMan(self.settings.ping, self._trouble, every=self.settings.ping_every).run()

    def _make_collectors(self) -> None:
        settings, miner = self.settings, self.settings.miner
        who: Callable[[], access.Account | None] = partial(access.account, miner.user, miner.groups)
        self._sticks = Sticks(settings.state, settings.sysfs, settings.dev, who)
        self._mining = Mining(miner.api, miner.timeout, self._serials) if miner.api else None
        self._units = Units(settings.watched.units)

    def _made_watchman(self, rules: Rules) -> Watchman:
        settings = self.settings
        return Watchman(
            self._store,
            rules,
            host=settings.host,
            language=settings.language,
            zone=settings.timezone,
            hand_over=settings.hand_over,
            figures=self._figures,
            now=self.pulse.now,
        )

    def _made_actions(self, policy: Policy) -> Actions:
        """`pool` is changed through cgminer itself; the rest is left as a request for root's own units."""
        settings, ports = self.settings, self._sticks
        return Actions(
            policy,
            self.watchman.tell,
            ledger=Ledger(settings.state / ACTIONS),
            hand=Hand(),
            now=self.pulse.now,
            language=settings.language,
            miner=self._mining.client if self._mining else None,
            port_of=lambda stick: ports.known[stick].port if stick in ports.known else None,
        )

    def _collectors(self) -> Iterator[Collector]:
        """Only what there is to look at."""
        watched = self.settings.watched
        yield from (self._sticks, Host(), Disks(watched.mounts), Sensors(), Clocks())
        if self._mining:
            yield self._mining
        if watched.units:
            yield self._units
        if watched.services:
            yield Ready(watched.services)
        if watched.webhook:
            yield Outbox(watched.webhook)
        if watched.certificates or watched.keys:
            yield Expiry(watched.certificates, watched.keys)
        if watched.backups:
            yield Backups(watched.backups)
        if watched.journal:
            yield Journal(watched.journal)
        if watched.drift:
            yield Drift(watched.drift)
        if watched.peers:
            yield Peers(dict(watched.peers))
        if watched.nodes:
            yield Nodes(watched.nodes, watched.node_user, watched.node_password)
        if watched.blockdag:
            yield BlockDag(watched.blockdag)
        if watched.tunnel:
            yield Tunnel(watched.tunnel, watched.ngrok, self.settings.ops_key)

    async def _observe(self, cycle: Cycle, whole: bool) -> None:
        await self.watchman.observe(cycle)
        self._again.at(self.watchman.ripe(BUS))
        self.number += 1
        self.api.live.wake()
        if not whole or self._history is None:
            return
        await self._actions.consider(self.watchman.standing(), cycle.moment)
        self._history.add(cycle.moment.at.timestamp(), cycle.readings)
        if self._history.is_due:
            in_thread(partial(self._history.write, self._history.take()), "history")

    async def _plugged(self) -> None:
        """The bus changed: what is on it is read, and judged at once. A look that fails ends nothing: it is told."""
        self._sticks.soon()
        self.board.put(await self._bus.once())

    async def _look_again(self) -> None:
        """A stick is back for as long as its rule asks: people hear of it now, not at the collector's next turn."""
        self.board.put(await self._bus.once())
        self.pulse.hurry()

    def _within(self) -> dict[str, str]:
        """What is part of what: sticks of their hubs, services of their units."""
        services = {name: f"{name}.service" for name, _ in self.settings.watched.services}
        return self._sticks.within() | services

    def _serials(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, one in self._sticks.known.items():
            if key in self._sticks.present:
                found.setdefault(one.serial, []).append(key)
        return found

    async def _trouble(self) -> str:
        """Why nobody should rely on being told from here; "": they can."""
        failing = [f"{name}: {why}" for name, why in (await self.problems()).items() if why]
        return "; ".join([*failing, *([self.watchman.trouble] if self.watchman.trouble else [])])

    async def _figures(self) -> Figures:
        """For the daily summary."""
        known, present = self._sticks.known, self._sticks.present
        return {**self.miner()["total"], "sticks_known": len(known), "sticks_present": len(present)}

    def _acted(self) -> list[Json]:
        return shown.actions(self._actions.recent())
