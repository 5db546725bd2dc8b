"""Tells the chat what the store holds, in order, at its own pace; what cannot be sent now waits in the store.

The cursor is committed after the send. A crash between the two, or an answer of Telegram's that got lost, repeats that
one message; nothing is skipped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from runtime import clock
from runtime.store import Store, StoreError
from runtime.telegram import progress
from runtime.telegram.compose import STORM, Message, Position, compose, moved
from runtime.telegram.feed import Feed
from runtime.telegram.line import Later, Line, Moved, Refused
from runtime.telegram.news import Item
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
        self._next = 0.0  # when the chat may be told the next thing, on the steady clock

    async def begin(self) -> None:
        """From here on nothing is skipped."""
        self._position = await insist(self._store, progress.begin)

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            try:
                told = await self._leads() and await self._round()
            except (Later, StoreError) as error:
                await self._delayed(error)
                backoff = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                await asyncio.sleep(getattr(error, "seconds", None) or backoff)
                failures += 1
                continue
            failures = 0
            self._recovered()
            if not told:
                await asyncio.sleep(LOOK_SECONDS)

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
        batch = await self._read(lambda connection: self._feed.waiting(connection, self._position))
        for message in compose(batch.items, self._position, clock.now(), self._max_age, self._words):
            await self._deliver(message)
        if self._position != batch.end:
            await self._advance(batch.end)
        return True

    async def _again(self) -> None:
        """What an operator wants sent again goes first."""
        refs = await self._read(lambda connection: progress.raised(connection, STORM))
        if not refs:
            return
        items = await self._read(lambda connection: self._feed.again(connection, refs))
        for message in compose(items, {}, clock.now(), FOREVER, self._words):
            mine = [Ref(item.source, item.id) for item in message.items]
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
        await asyncio.sleep(max(0.0, self._next - clock.steady()))
        is_person = isinstance(self._chat, int) and self._chat > 0
        self._next = clock.steady() + (PACE_SECONDS if is_person else GROUP_PACE_SECONDS)
        try:
            await self._line.send(self._chat, html)
        except Refused as error:
            return error
        except Moved as error:
            log.warning("%s: set TELEGRAM_CHAT_ID to it", error)
            self._chat = error.chat
            return await self._refused(html)
        return None

    async def _advance(self, position: Position) -> None:
        await insist(self._store, lambda connection: progress.advance(connection, position))
        self._position = position

    async def _bury(self, items: tuple[Item, ...], reason: str, position: Position) -> None:
        log.error("Telegram will not take %d news, kept in dead_letters: %s", len(items), reason)
        refs, now = [Ref(item.source, item.id) for item in items], clock.now()

        def write(connection: Connection) -> None:
            progress.bury(connection, refs, reason, now)
            progress.advance(connection, position)

        await insist(self._store, write)
        self._position = position

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
