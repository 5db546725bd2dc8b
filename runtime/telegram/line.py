"""The Bot API as this service uses it, and what its errors mean for a message.

Sources: https://core.telegram.org/bots/api, https://core.telegram.org/bots/faq (limits: about one message a second to a
chat, 20 a minute to a group, 30 a second overall).
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import httpx
from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest
from telegram.warnings import PTBDeprecationWarning

from runtime import payload
from runtime.telegram.settings import Chat, TelegramSettings

T = TypeVar("T")

# Its constructor warns of a change to come in an attribute that is not used here.
warnings.filterwarnings("ignore", message=".*retry_after", category=PTBDeprecationWarning)
Buttons = Sequence[tuple[str, str]]
"""(what it says, what comes back when it is pressed)"""

POLL_SECONDS = 30
ALLOWED = ("message", "callback_query")
# What Telegram says of a chat that will not take the next message either.
_CHAT = (
    *("chat not found", "chat_write_forbidden", "group chat was deactivated", "peer_id_invalid", "not enough rights"),
    *("have no rights", "user not found", "chat_restricted", "need administrator rights", "user is deactivated"),
)


class Later(Exception):
    """Not now; the same may be sent again. `seconds`: Telegram asked for this pause."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Refused(Exception):
    """Never. `whole`: it is about the chat, so the next message would fare no better."""

    def __init__(self, reason: str, *, whole: bool) -> None:
        super().__init__(reason)
        self.whole = whole


class Moved(Exception):
    """The group became a supergroup, with this new id."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"the group is now chat {chat}")
        self.chat = chat


class Line:
    """One bot. Errors are Later, Refused or Moved, and hold no token."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._token = settings.token.reveal()
        tls = httpx.create_ssl_context() if settings.base_url.startswith("https") else False  # one for both: 1 MB each
        api, updates = (_request(settings.timeout, size, tls) for size in (4, 1))
        self._bot: ExtBot[int] = ExtBot(
            self._token,
            base_url=settings.base_url,
            request=api,
            get_updates_request=updates,
            rate_limiter=AIORateLimiter(),
        )

    async def hello(self, menu: Sequence[tuple[str, str]]) -> str:
        """The bot's own name. Takes the bot out of webhook mode, or no update would come, and sets its menu."""
        me = await self._ask(self._bot.get_me())
        await self._ask(self._bot.delete_webhook())
        await self._ask(self._bot.set_my_commands([BotCommand(name, text) for name, text in menu]))
        return me.username or ""

    async def updates(self, offset: int | None, seconds: int = POLL_SECONDS) -> Sequence[Update]:
        """What people sent, waiting up to `seconds` for it; everything below `offset` is done with."""
        return await self._ask(self._bot.get_updates(offset, timeout=seconds, allowed_updates=ALLOWED))

    async def send(self, chat: Chat, html: str, buttons: Buttons = ()) -> None:
        options = LinkPreviewOptions(is_disabled=True)
        markup = _keyboard(buttons)
        await self._ask(
            self._bot.send_message(chat, html, ParseMode.HTML, link_preview_options=options, reply_markup=markup)
        )

    async def edit(self, chat: int, message: int, html: str) -> None:
        """Replaces a message and takes its buttons away."""
        await self._ask(self._bot.edit_message_text(html, chat, message, parse_mode=ParseMode.HTML))

    async def toast(self, query: str, text: str = "") -> None:
        """Ends the waiting sign on a pressed button."""
        await self._ask(self._bot.answer_callback_query(query, text or None))

    async def close(self) -> None:
        for request in self._bot._request:  # the bot's own shutdown needs a getMe to have succeeded first
            await request.shutdown()

    async def _ask(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except TelegramError as error:
            raise meaning(error, self._token) from None  # its causes quote the URL


def meaning(error: TelegramError, token: str = "") -> Later | Refused | Moved:
    """What the error asks of us."""
    said = str(payload.redact(error.message, token))[:300]
    if isinstance(error, RetryAfter):
        seconds = error._retry_after.total_seconds()  # the public name warns
        return Later(f"Telegram asks to wait {seconds:g} s", seconds)
    if isinstance(error, ChatMigrated):
        return Moved(error.new_chat_id)
    if isinstance(error, InvalidToken):
        return Later("Telegram refuses the token: TELEGRAM_BOT_TOKEN is not (or no longer) a bot's")
    if isinstance(error, Forbidden | BadRequest):
        return Refused(said, whole=isinstance(error, Forbidden) or any(words in said.lower() for words in _CHAT))
    return Later(said)


def _request(timeout: float, size: int, tls: object) -> HTTPXRequest:
    return HTTPXRequest(size, timeout, timeout, min(timeout, 5.0), pool_timeout=timeout, httpx_kwargs={"verify": tls})


def _keyboard(buttons: Buttons) -> InlineKeyboardMarkup | None:
    row = [InlineKeyboardButton(text, callback_data=data) for text, data in buttons]
    return InlineKeyboardMarkup([row]) if row else None
