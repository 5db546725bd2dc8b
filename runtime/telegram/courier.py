"""Tells the chat what the store holds, in order, at its own pace; what cannot be sent now waits in the store.

The cursor is committed after the send. A crash between the two, or an answer of Telegram's that got lost, repeats that
one message; nothing is skipped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from runtime import clock
from runtime.store import Store, StoreError
from runtime.telegram import progress
from runtime.telegram.compose import HEALTH_STORM, STORM, Message, Position, compose, moved
from runtime.telegram.feed import Feed
from runtime.telegram.line import Later, Line, Moved, Refused
from runtime.telegram.news import Item, Source
from runtime.telegram.progress import Ref
from runtime.telegram.settings import Chat, TelegramSettings
from runtime.telegram.words import Words

T = TypeVar("T")

LOOK_SECONDS = 1.0
BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
BUSY_SECONDS = (0.1, 0.3, 1.0, 3.0)
PACE_SECONDS = 1.0
GROUP_PACE_SECONDS = 3.0  # 20 a minute
FOREVER = 10 * 366 * 86_400.0
HEALTH: tuple[Source, ...] = ("health",)
OTHERS = tuple(source for source in progress.TABLES if source not in HEALTH)

log = logging.getLogger("runtime.telegram")


class Courier:
    """`said` is told in a few words how delivery goes, for systemd's status line."""

    def __init__(
        self, store: Store, line: Line, feed: Feed, settings: TelegramSettings, said: Callable[[str], None]
    ) -> None:
        self._store = store
        self._line = line
        self._feed = feed
        self._words = Words(settings.language)
        self._max_age = settings.max_age
        self._chat: Chat = settings.chat
        self._said = said
        self._error: str | None = None
        self._position: Position = {}
        self._lease: int | None = None
        self._sent = float("-inf")  # when the chat was told something, on the steady clock
        self._pulse = store.pulse()
        self._is_telling_health = False

    async def begin(self) -> None:
        """From here on nothing is skipped."""
        self._position = await insist(self._store, progress.begin)

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            try:
                if not (await self._leads() and await self._round()):
                    await self._lull()
            except (Later, StoreError) as error:
                await self._delayed(error)
                backoff = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                await asyncio.sleep(getattr(error, "seconds", None) or backoff)
                failures += 1
                continue
            failures = 0
            self._recovered()

    @property
    def leads(self) -> bool:
        """Of the processes that share a store, one delivers and listens; another takes over when that one ends."""
        return self._lease is not None

    async def _leads(self) -> bool:
        """Raises StoreError."""
        lease = await asyncio.to_thread(self._store.leases.hold, progress.SINK)
        if lease is not None and lease != self._lease:
            await self.begin()  # somebody else may have delivered in between
        elif lease is None:
            self._said("another process delivers")
        self._lease = lease
        return self.leads

    async def _round(self) -> bool:
        """Everything that waits now; False when nothing did. Raises Later, StoreError: safe to call again."""
        if not await self._read(lambda connection: progress.is_waiting(connection, self._position)):
            return False
        await self._again()
        await self._tell_health()
        await self._tell(OTHERS, STORM, self._max_age)
        return True

    async def _tell_health(self) -> None:
        """However old: a machine without a clock of its own starts with a wrong one. Raises Later, StoreError."""
        await self._tell(HEALTH, HEALTH_STORM, FOREVER)

    async def _tell(self, sources: Sequence[Source], storm: int, max_age: float) -> None:
        """All that waits in these sources. Raises Later, StoreError."""
        batch = await self._read(lambda connection: self._feed.waiting(connection, self._position, sources))
        self._is_telling_health = sources == HEALTH
        for message in compose(batch.items, self._position, clock.now(), max_age, self._words, storm):
            await self._deliver(message)
        await self._advance(batch.end)

    async def _lull(self) -> None:
        """What comes within a second is told together; what a monitor has to tell is seen at once."""
        until = clock.steady() + LOOK_SECONDS
        while clock.steady() < until and not (self._beat() and await self._hears_of_health()):
            await asyncio.sleep(self._pulse.every)

    async def _hears_of_health(self) -> bool:
        newest = await self._read(lambda connection: progress.newest_of(connection, "health"))
        return newest > self._position["health"]

    def _beat(self) -> bool:
        try:
            return self._pulse.beat()
        except StoreError:
            return False  # whoever reads next will say so

    async def _again(self) -> None:
        """What an operator wants sent again goes first."""
        refs = await self._read(lambda connection: progress.raised(connection, STORM))
        if not refs:
            return
        items = await self._read(lambda connection: self._feed.again(connection, refs))
        for message in compose(items, {}, clock.now(), FOREVER, self._words):
            mine = [Ref(item.source, item.id) for item in message.items]
            await self._pause()
            reason = await self._refused(message.html)
            if reason is None:
                await insist(self._store, _settle(mine))
            else:
                await self._bury(message.items, str(reason), self._position)
        found = {(item.source, item.id) for item in items}
        gone = [ref for ref in refs if (ref.source, ref.id) not in found]
        await insist(self._store, _settle(gone))

    async def _deliver(self, message: Message) -> None:
        """Send it, then say so in the store. One that Telegram will never take is kept aside, alone if that helps."""
        if not message.hurries:
            await self._pause()
        reason = await self._refused(message.html)
        if reason is None:
            await self._advance(message.position)
        elif reason.whole or len(message.told) < 2:
            await self._bury(message.items, str(reason), message.position)
        else:
            for item in message.told:
                await self._deliver(Message(item.html, (item,), (item,), moved(self._position, [item])))
            await self._advance(message.position)

    async def _refused(self, html: str) -> Refused | None:
        """Why Telegram will never take it; None once it has. Raises Later."""
        self._sent = clock.steady()
        try:
            await self._line.send(self._chat, html)
        except Refused as error:
            return error
        except Moved as error:
            log.warning("%s: set TELEGRAM_CHAT_ID to it", error)
            self._chat = error.chat
            return await self._refused(html)
        return None

    async def _pause(self) -> None:
        """Until the chat may be told the next thing; what a monitor has to tell meanwhile does not wait for it."""
        is_person = isinstance(self._chat, int) and self._chat > 0
        pace = PACE_SECONDS if is_person or self._is_telling_health else GROUP_PACE_SECONDS
        while (left := self._sent + pace - clock.steady()) > 0:
            await asyncio.sleep(min(left, self._pulse.every))
            if not self._is_telling_health and self._beat():
                await self._tell_health()
                self._is_telling_health = False

    async def _advance(self, position: Position) -> None:
        """Never back: a message may have been composed before others of another source were told."""
        after = self._at_least(position)
        if after == self._position:
            return
        await insist(self._store, lambda connection: progress.advance(connection, after))
        self._position = after

    def _at_least(self, position: Position) -> Position:
        return self._position | {source: max(row, self._position.get(source, 0)) for source, row in position.items()}

    async def _bury(self, items: tuple[Item, ...], reason: str, position: Position) -> None:
        log.error("Telegram will not take %d news, kept in dead_letters: %s", len(items), reason)
        refs, now = [Ref(item.source, item.id) for item in items], clock.now()
        after = self._at_least(position)

        def write(connection: Connection) -> None:
            progress.bury(connection, refs, reason, now)
            progress.advance(connection, after)

        await insist(self._store, write)
        self._position = after

    async def _read(self, read: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(_in, self._store, read)

    async def _delayed(self, error: Exception) -> None:
        reason, now = str(error), clock.now()
        if reason != self._error:
            log.warning("delivery delayed: %s", reason)
        self._error = reason
        self._said(f"delivery delayed: {reason}")
        if isinstance(error, Later):
            await insist(self._store, lambda connection: progress.failed(connection, reason, now))

    def _recovered(self) -> None:
        if self._error is not None:
            log.info("delivering again")
            self._said("up to date")
        self._error = None


def _settle(refs: list[Ref]) -> Callable[[Connection], None]:
    return lambda connection: progress.settled(connection, refs)


def _in(store: Store, read: Callable[[Connection], T]) -> T:
    with store.read() as connection:
        return read(connection)


async def insist(store: Store, write: Callable[[Connection], T]) -> T:
    """The write's result once it is durable, however long others keep the store busy. Only for what may be repeated."""
    tries = 0
    while True:
        try:
            return await store.write(write)
        except StoreError as error:
            if tries == 0:
                log.warning("the store is busy, writing again: %s", error)
            await asyncio.sleep(BUSY_SECONDS[min(tries, len(BUSY_SECONDS) - 1)])
            tries += 1
