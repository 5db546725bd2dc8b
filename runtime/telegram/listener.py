"""Hears what people send to the bot, and obeys those of the chats that may give commands. The others get no answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from telegram import CallbackQuery, Message, Update

from runtime import clock
from runtime.telegram.commands import MENU, Command, Commander, parse
from runtime.telegram.courier import BACKOFF_SECONDS
from runtime.telegram.line import Later, Line, Moved, Refused
from runtime.telegram.words import Words

PATIENCE_SECONDS = 30.0
GOODBYE_SECONDS = 0.5
STANDBY_SECONDS = 0.5

log = logging.getLogger("runtime.telegram")


class Listener:
    """`said` is told in a few words how listening goes, for systemd's status line.

    It listens while `leads` says so: Telegram lets one process of a bot listen at a time.
    """

    def __init__(
        self,
        line: Line,
        commander: Commander,
        allowed: frozenset[int],
        words: Words,
        said: Callable[[str], None],
        leads: Callable[[], bool],
    ) -> None:
        self._leads = leads
        self._line = line
        self._commander = commander
        self._allowed = allowed
        self._menu = [(name, words(f"menu_{name}")) for name in MENU]
        self._said = said
        self._username: str | None = None
        self._offset: int | None = None
        self._error: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            if not self._leads():
                await asyncio.sleep(STANDBY_SECONDS)
                continue
            try:
                await self._listen()
                failures = 0
            except (Later, Refused, Moved) as error:
                self._deaf(str(error))
                backoff = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                await asyncio.sleep(getattr(error, "seconds", None) or backoff)
                failures += 1

    async def goodbye(self) -> None:
        """Tell Telegram what was heard already, so that the next start does not hear it again."""
        if self._offset is not None and self._error is None:
            try:
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._line.updates(self._offset, 0)
            except (TimeoutError, Later, Refused, Moved):
                return  # it comes again; what changes something is obeyed once

    async def _listen(self) -> None:
        """One long poll. Raises Later, Refused, Moved."""
        if self._username is None:
            self._username = await self._line.hello(self._menu)
        updates = await self._line.updates(self._offset)
        if self._error is not None:
            log.info("Telegram answers again")
        self._error = None
        self._said("listening")
        for update in updates:
            self._offset = update.update_id + 1
            await self._heard(update)

    async def _heard(self, update: Update) -> None:
        """Whatever goes wrong with one update, the next ones are heard."""
        try:
            if update.callback_query is not None:
                await self._pressed(update.update_id, update.callback_query)
            elif update.message is not None:
                await self._asked(update.message)
        except (Later, Refused, Moved) as error:
            log.warning("an answer could not be sent: %s", error)
        except Exception:
            log.exception("a command failed")

    async def _asked(self, message: Message) -> None:
        if not self._is_allowed(message.chat.id):
            return
        found = parse(message.text or "", self._username or "")
        if found is None:
            return
        age = (clock.now() - message.date).total_seconds()
        user = message.from_user.id if message.from_user else 0
        reply = await self._commander.answer(Command(*found, message.chat.id, user, age))
        log.info("answered /%s", found[0] if found[0] in MENU else "?")
        await self._patiently(lambda: self._line.send(message.chat.id, reply.html, reply.buttons))

    async def _pressed(self, update_id: int, query: CallbackQuery) -> None:
        if query.message is None or not self._is_allowed(query.message.chat.id):
            return
        chat, message = query.message.chat.id, query.message.message_id
        pressed = await self._commander.press(update_id, query.data or "", chat, query.from_user.id)
        log.info("a button was pressed")
        if pressed.html is not None:
            html = pressed.html
            await self._patiently(lambda: self._line.edit(chat, message, html))
        await self._line.toast(query.id, pressed.flash)

    def _is_allowed(self, chat: int) -> bool:
        if chat not in self._allowed:
            log.warning("chat %d may not give commands: not answered", chat)
        return chat in self._allowed

    async def _patiently(self, send: Callable[[], Awaitable[None]]) -> None:
        """An answer waits for Telegram's limits once, if that is not long. Raises Later, Refused, Moved."""
        try:
            await send()
        except Later as error:
            if error.seconds is None or error.seconds > PATIENCE_SECONDS:
                raise
            await asyncio.sleep(error.seconds)
            await send()

    def _deaf(self, reason: str) -> None:
        if reason != self._error:
            log.warning("cannot hear commands: %s", reason)
        self._error = reason
        self._said(f"cannot hear commands: {reason}")
