"""Watches what is read, remembers it, and has people told: the engine with a clock, a store and a way out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from miner.alerts import engine, memory, summary
from miner.alerts.handover import HandOver
from miner.alerts.memory import Mute, Untold
from miner.alerts.notices import Draft, Notice, NoticeKind, Pace, drafted
from miner.alerts.quiet import Quiet
from miner.alerts.ripe import ripe
from miner.alerts.rule import RANK, Rules, Severity
from miner.alerts.states import Alert, Change, States
from miner.alerts.words import Words
from miner.readings import Cycle, Moment
from runtime import clock
from runtime.convert import Language
from runtime.store import Store, StoreError
from runtime.store.engine import Place

T = TypeVar("T")

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TICK_SECONDS = 30.0
"""How often mutes, the day's end and waiting changes are looked at when nothing is due."""

RETRY_SECONDS = 1.0

log = logging.getLogger("miner.alerts")


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert that fires. `text` is what is wrong, for people. `muted`: they are not told of it, `silence` says why
    (see `miner.alerts`).
    """

    rule: str
    target: str
    severity: Severity
    since: datetime
    text: str
    muted: bool
    silence: str = ""


async def _no_figures() -> summary.Figures:
    return {}


def here() -> Moment:
    """Now, on this machine."""
    return Moment(clock.now(), clock.since_boot(), BOOT_ID.read_text().strip())


class Watchman:
    """One for each monitor. `store` is opened with `miner.alerts.tables.SCHEMA`; `hand_over` is the webhook's store
    (None: notices stay here); `figures` gives the summary its numbers; `now` the time, where no cycle says it.
    """

    def __init__(
        self,
        store: Store,
        rules: Rules,
        *,
        host: str,
        language: Language = "fr",
        zone: ZoneInfo,
        hand_over: Place | None = None,
        figures: Callable[[], Awaitable[summary.Figures]] = _no_figures,
        now: Callable[[], Moment] = here,
    ) -> None:
        """Reads what the last one left. Raises StoreError."""
        self._store, self._rules, self._host, self._zone = store, rules, host, zone
        self._words = Words(language)
        self._figures, self._now = figures, now
        self._pace = Pace()
        self._handover = HandOver(store, hand_over)
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        with store.read() as connection:
            self._states = memory.states(connection)
            self._untold = memory.untold(connection)
            self._mutes = memory.mutes(connection)
            self._summed = memory.word(connection, "summed")
        self._is_behind = False
        self.trouble = ""
        """Why states could not be stored; what happens meanwhile is judged again once they can be."""

    async def observe(self, cycle: Cycle) -> tuple[Change, ...]:
        """Judge a cycle. What it changes is durable, and on its way, once this returns.

        A store that fails leaves everything as it was before the cycle; `trouble` says why.
        """
        async with self._lock:
            try:
                return await self._observe(cycle)
            except StoreError as error:
                if str(error) != self.trouble:
                    log.error("alerts are not stored: %s", error)
                self.trouble, self._is_behind = str(error), True
                return ()

    def standing(self) -> tuple[Standing, ...]:
        """What fires, the worst first, then the oldest."""
        moment = self._now()
        fires = engine.firing(self._rules, self._states, moment.steady, self._quiet(moment))
        found = [self._shown(alert, silence) for alert, silence in fires]
        return tuple(sorted(found, key=lambda one: (-RANK[one.severity], one.since, one.rule, one.target)))

    def ripe(self, kinds: tuple[str, ...]) -> float:
        """When a look would end what recovers, as `Moment.steady` counts; infinity: nothing does."""
        return ripe(self._rules, self._states, kinds)

    async def mute(self, scope: str, seconds: float, by: str) -> None:
        """Silence `scope` (see `windows.covers`) for so long. Raises StoreError."""
        moment = self._now()
        until = moment.at + timedelta(seconds=seconds)
        made = Mute(scope, until, moment.boot, moment.steady + seconds, by)
        async with self._lock:
            await self._store.write(lambda connection: memory.put_mute(connection, made))
            self._mutes = [*(one for one in self._mutes if one.scope != scope), made]

    async def unmute(self, scope: str, by: str) -> None:
        """`*`: all of them. What fires and was muted is told within a moment. Raises StoreError."""
        async with self._lock:
            await self._drop([one.scope for one in self._mutes if scope in ("*", one.scope)])
        log.info("%s unmuted %s", by, scope)
        self._wake.set()

    def mutes(self) -> tuple[Mute, ...]:
        """Those that hold now."""
        moment = self._now()
        return tuple(memory.moved(one, moment) for one in self._mutes if one.holds(moment))

    async def tell(self, kind: NoticeKind, severity: Severity, text: str, key: str) -> None:
        """A notice of one's own, durable once this returns, told once for each key. Raises StoreError."""
        notice = Notice(key, clock.iso(self._now().at), self._host, kind, severity, text)
        await self._store.write(lambda connection: memory.tell(connection, notice))
        self._handover.hurry()

    async def run(self) -> None:
        """Hands over, tells what waits, sums up the day; until cancelled."""
        await asyncio.gather(self._handover.run(), self._tick())

    async def _observe(self, cycle: Cycle) -> tuple[Change, ...]:
        """Raises StoreError."""
        moment = cycle.moment
        if self._is_behind:
            await self._catch_up()
        await self._drop([one.scope for one in self._mutes if not one.holds(moment)])
        done = engine.step(self._rules, self._states, cycle, self._quiet(moment))
        is_due = self._pace.is_due(moment.steady, len(self._untold) + len(done.changes))
        if done.changes or is_due or _differ(done.states, self._states):
            self._untold = await self._store.write(lambda connection: self._commit(connection, done, moment, is_due))
            self._handover.hurry()
        self._states, self.trouble = done.states, ""
        if self._due < moment.steady + TICK_SECONDS:
            self._wake.set()
        return done.changes

    async def _catch_up(self) -> None:
        """A write that was given up may have been committed since. Through the writer, so it is known by now."""
        read = lambda connection: (memory.states(connection), memory.untold(connection))  # noqa: E731
        self._states, self._untold = await self._store.write(read)
        self._is_behind = False

    @property
    def _due(self) -> float:
        """When time alone has something to say, on the steady clock."""
        return min(self._states.due, self._pace.due)

    def _commit(self, connection: Connection, done: engine.Stepped, moment: Moment, is_due: bool) -> list[Untold]:
        """In one transaction: the states, what changed, and the notices that tell it. Returns what still waits."""
        memory.put_states(connection, done.states)
        if self._states.boot not in ("", moment.boot):
            key, text = f"boot:{self._host}:{moment.boot}", self._words("boot")
            memory.tell(connection, Notice(key, clock.iso(moment.at), self._host, "info", "info", text))
        waiting = [*self._untold, *memory.add_changes(connection, done.changes)]
        if not is_due:
            return waiting
        drafts = drafted([one.change for one in waiting], self._rules, self._words)
        for draft in drafts:
            memory.tell(connection, self._noticed(draft, moment), [waiting[place].id for place in draft.places])
        self._pace.sent(moment.steady, len(drafts))
        return []

    def _noticed(self, draft: Draft, moment: Moment) -> Notice:
        key = f"{self._host}:{secrets.token_hex(12)}"
        return Notice(key, clock.iso(moment.at), self._host, draft.kind, draft.severity, draft.text)

    def _quiet(self, moment: Moment) -> Quiet:
        muted = tuple(one.scope for one in self._mutes if one.holds(moment))
        kept = tuple(one.scope for one in self._rules.maintenance if one.holds(moment.at, self._zone))
        hours = any(one.holds(moment.at, self._zone) for one in self._rules.quiet_hours)
        return Quiet(muted, kept, hours)

    def _shown(self, alert: Alert, silence: str) -> Standing:
        rule = self._rules.rules.get(alert.rule)
        text = self._words.alert(alert.rule, rule.metric if rule else "", alert.target, alert.value, alert.note)
        since = clock.from_iso(alert.fired_at)
        return Standing(alert.rule, alert.target, alert.severity, since, text, bool(silence), silence)

    async def _drop(self, scopes: Sequence[str]) -> None:
        if scopes:
            await self._store.write(lambda connection: memory.drop_mutes(connection, scopes))
            self._mutes = [one for one in self._mutes if one.scope not in scopes]

    async def _tick(self) -> None:
        """What time alone brings: alerts that settled, silences that ended, changes that waited, the end of a day."""
        while True:
            self._wake.clear()
            moment = self._now()
            try:
                await self.observe(Cycle(moment, ()))
                self._wake.clear()
                await self._sum_up(moment)
            except StoreError as error:
                log.warning("the day is not summed up yet: %s", error)
            except Exception:  # the next one may be better; nobody else would hand anything over
                log.exception("time could not be passed")
                await asyncio.sleep(RETRY_SECONDS)
            await self._rest(self._now().steady)

    async def _rest(self, now: float) -> None:
        """Until something may be due. A cycle may change when that is."""
        due = min(self._due, now + TICK_SECONDS)
        try:
            async with asyncio.timeout(max(RETRY_SECONDS if self.trouble else 0.02, due - now)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _sum_up(self, moment: Moment) -> None:
        """Raises StoreError. A day that ended while nobody watched is told late; its key makes it once."""
        due = summary.last_due(moment.at, self._rules.daily or 0, self._zone)
        day = due.date().isoformat()
        if not self._summed or day <= self._summed:  # the first start, the same day, or the calendar was set back
            await self._remember(day)
            return
        if self._rules.daily is not None:
            await self._tell_day(due, day)
        await self._remember(day)
        await self._store.write(lambda connection: memory.prune(connection, moment.at))

    async def _tell_day(self, due: datetime, day: str) -> None:
        counts = await asyncio.to_thread(self._counts, due - timedelta(days=1))
        standing = [one.text for one in self.standing() if not one.muted]
        text = summary.text(await self._asked(), counts, standing, self._words)
        await self.tell("summary", "info", text, f"daily:{self._host}:{day}")

    async def _asked(self) -> summary.Figures:
        """A day without figures is summed up all the same."""
        try:
            return await self._figures()
        except Exception:
            log.exception("no figures for the day's summary")
            return {}

    async def _remember(self, day: str) -> None:
        if day != self._summed:
            await self._store.write(lambda connection: memory.put_word(connection, "summed", day))
        self._summed = day

    def _counts(self, since: datetime) -> dict[str, int]:
        with self._store.read() as connection:
            return memory.counts(connection, since)


def _differ(after: States, before: States) -> bool:
    """Whether there is something to store; when somebody last looked is worth no write."""
    same = after.alerts is before.alerts and after.facts is before.facts
    return not same or after.boot != before.boot or after.within != before.within
