"""Telegram: tells a chat what the webhook's store holds, and takes the commands of the chats that may give them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ops.checks import Check, active
from ops.fields import DatabaseUrl, TimeZone
from ops.inventory import Host
from ops.resources import Release, Resource, Unit, env_file
from ops.role import Role
from ops.role_config import RoleConfig, Secret

Kind = Literal[
    "opened",
    "closed",
    "signals",
    "refused",
    "tests",
    "reset",
    "pause",
    "health",
    "checklist",
    "updates",
    "ignored",
    "duplicates",
]
USUAL: tuple[Kind, ...] = ("opened", "closed", "signals", "refused", "tests", "reset", "pause", "health")


def _token(value: Secret) -> Secret:
    if not re.fullmatch(r"\d{3,20}:[A-Za-z0-9_-]{10,200}", value.get_secret_value()):
        raise ValueError("expected a token such as 123456789:AA..., as @BotFather gives it")
    return value


Token = Annotated[Secret, AfterValidator(_token)]
ChannelName = Annotated[str, Field(pattern=r"^@[A-Za-z][A-Za-z0-9_]{3,31}$")]
Url = Annotated[str, Field(pattern=r"^http://[^\s\"'$`\\]+$")]


class Config(RoleConfig):
    enabled: bool = Field(True, description="false: the unit runs, tells nobody, and starts anew when it is true again")
    bot_token: Token = Field(description="from @BotFather")
    chat_id: int | ChannelName = Field(description="the chat that is told: a number, groups have negative ones")
    allowed_chats: tuple[int, ...] = Field((), description="whose commands are obeyed; none: chat_id's")
    ops_key: Secret | None = Field(None, description="the webhook's; without it no command changes anything")
    events: tuple[Kind, ...] = Field(USUAL, min_length=1, description="what is told")
    language: Literal["fr", "en"] = "fr"
    timezone: TimeZone = Field("America/Montreal", description="of the times in messages")
    max_age: float = Field(86_400, ge=60, le=31_536_000, description="seconds; older news are counted, not told")
    timeout: float = Field(10, ge=1, le=120, description="seconds Telegram has for an answer")
    webhook_url: Url = Field("http://127.0.0.1:8000", description="tv-webhook, on this host")
    perf_url: Url = Field("http://127.0.0.1:8010", description="the ledger, on this host")
    monitor_url: Url = Field("http://127.0.0.1:8020", description="the monitor, on this host")
    log_format: Literal["text", "json"] = Field("text", description="of the service's log: key=value, or JSON")
    database_url: DatabaseUrl | None = Field(None, description="the same as the webhook's; default: its file")
    base_url: str = Field(
        "https://api.telegram.org/bot",
        pattern=r"^https?://[^\s\"'$`\\]+/bot$",
        description="the Bot API, or a server of your own that speaks it",
    )


class Telegram(Role):
    after = ("base", "webhook")

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        release = Release("telegram")
        env = env_file("telegram", c, "/opt/trading/.env.d/telegram.env")
        yield from (release, env)
        yield Unit("tv-telegram.service", c, restart_on=(release, env))

    def checks(self, c: Config) -> Iterable[Check]:
        """Whether Telegram answers is not this host's health: the unit is ready without it, and waits."""
        yield active("tv-telegram.service")
