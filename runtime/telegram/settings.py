"""What tv-telegram is told by its environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from runtime.keys import Secret
from runtime.settings import PERF, Reader, environment

Chat = int | str
Language = Literal["fr", "en"]

API = "https://api.telegram.org/bot"
WEBHOOK = "http://127.0.0.1:8000"
MONITOR = "http://127.0.0.1:8020"
KINDS = (
    *("opened", "closed", "signals", "refused", "tests", "reset", "pause", "health"),
    *("checklist", "updates", "ignored", "duplicates"),
)
USUAL = KINDS[:8]

_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{10,200}", re.ASCII)
_NAME = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """TELEGRAM_ENABLED, TELEGRAM_BOT_TOKEN, TELEGRAM_CHAT_ID, JOURNAL_TZ, LOG_FORMAT, and below.

    `events`: TELEGRAM_EVENTS, kinds out of KINDS or `all`. `allowed`: TELEGRAM_ALLOWED_CHATS, whose commands are
    obeyed. `max_age` in seconds: TELEGRAM_MAX_AGE; older news are counted, not told. `timeout` in seconds:
    TELEGRAM_TIMEOUT, for one answer of Telegram's. `ops_key`: OPS_ADMIN_KEY; without it no command changes anything.
    `database`: the webhook's store, a file in TRADING_STATE_DIR or STORE_URL (PostgreSQL).
    """

    enabled: bool
    token: Secret
    chat: Chat
    allowed: frozenset[int]
    events: frozenset[str]
    language: Language
    base_url: str
    webhook_url: str
    perf_url: str
    monitor_url: str
    ops_key: Secret
    database: Path | Secret
    timezone: ZoneInfo
    max_age: float
    timeout: float
    log_format: Literal["text", "json"]

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What no log line may show."""
        place = (self.database,) if isinstance(self.database, Secret) else ()
        return (self.token, self.ops_key, *place)


def load(environ: Mapping[str, str] | None = None) -> TelegramSettings:
    """Raises SettingsError naming each variable that is missing or wrong. A bot that is off needs no token."""
    given = environment() if environ is None else environ
    env = Reader(given)
    enabled = env.read("TELEGRAM_ENABLED", "true", _switch)
    token, chat = _bot(env, given) if enabled else (Secret(""), 0)
    default = str(chat) if isinstance(chat, int) else ""
    found = TelegramSettings(
        enabled,
        token,
        chat,
        allowed=env.read("TELEGRAM_ALLOWED_CHATS", default, _chats),
        events=env.read("TELEGRAM_EVENTS", ",".join(USUAL), _kinds),
        language=env.read("TELEGRAM_LANGUAGE", "fr", _language),
        base_url=env.read("TELEGRAM_BASE_URL", API, _api),
        webhook_url=env.service("TV_URL", WEBHOOK),
        perf_url=env.service("PERF_URL", PERF),
        monitor_url=env.service("MONITOR_URL", MONITOR),
        ops_key=Secret(given.get("OPS_ADMIN_KEY", "").strip()),
        database=env.place("STORE_URL") or env.state() / "webhook.db",
        timezone=env.timezone(),
        max_age=env.seconds("TELEGRAM_MAX_AGE", "86400"),
        timeout=env.read("TELEGRAM_TIMEOUT", "10", _patience),
        log_format=env.watch().log_format,
    )
    env.finish()
    return found


def _bot(env: Reader, given: Mapping[str, str]) -> tuple[Secret, Chat]:
    """The token is never quoted, not even a wrong one: it may be a right one with a letter too many."""
    token = env.secret("TELEGRAM_BOT_TOKEN")
    if token.reveal() and not _TOKEN.fullmatch(token.reveal()):
        env.problem("TELEGRAM_BOT_TOKEN does not look like 123456789:AA..., as @BotFather gives it")
    if not given.get("TELEGRAM_CHAT_ID", "").strip():
        env.problem("TELEGRAM_CHAT_ID is not set: the chat that is told; see the role's README for how to find it")
        return token, 0
    return token, env.read("TELEGRAM_CHAT_ID", "0", chat_id)


def chat_id(text: str) -> Chat:
    """A chat's number (groups have negative ones), or the public @name of a channel."""
    if _NAME.fullmatch(text):
        return text
    return int(text)


def _chats(text: str) -> frozenset[int]:
    try:
        return frozenset(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ValueError("expected numbers of chats, with commas between them") from None


def _kinds(text: str) -> frozenset[str]:
    if text == "all":
        return frozenset(KINDS)
    wanted = frozenset(text.replace(",", " ").lower().split())
    if strange := sorted(wanted - set(KINDS)):
        raise ValueError(f"{strange[0]} is not known; expected all, or some of {', '.join(KINDS)}")
    return wanted


def _language(text: str) -> Language:
    value = text.lower()
    if value == "fr" or value == "en":
        return value  # type: ignore[return-value,unused-ignore]
    raise ValueError("expected fr or en")


def _switch(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError("expected true or false")
    return words[text.lower()]


def _api(text: str) -> str:
    """The token is appended to it, so it ends in /bot as Telegram's own does."""
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or not url.path.endswith("/bot") or url.query:
        raise ValueError(f"expected something like {API}")
    return text


def _patience(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 120:
        raise ValueError("expected seconds, from 0.1 to 120")
    return value
