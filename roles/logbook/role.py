"""Log book: jpt saves a pasted session on the host, and a timer brings journal.md to its remote."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from ops.checks import Check, Look, active
from ops.fields import TimeZone
from ops.inventory import Host
from ops.resources import AptPackages, Command, Directory, File, Release, Resource, Unit, env_file
from ops.role import Role
from ops.role_config import RoleConfig, Secret
from roles.shared import JOURNAL

GIT_DIR = "/opt/trading/.git"


class Config(RoleConfig):
    openai_key: Secret | None = Field(None, description="without it entries are made by rules, and marked as such")
    openai_model: str = Field("gpt-5-mini", pattern=r"^[A-Za-z0-9._:/-]+$")
    openai_url: str = Field(
        "https://api.openai.com/v1", pattern=r"^https?://[^\s\"'$`\\]+$", description="or a server that speaks it"
    )
    timezone: TimeZone = Field("America/Montreal", description="of the entries' times")
    language: Literal["fr", "en"] = Field("fr", description="of the entries")
    keep_days: float = Field(30, ge=0, le=36_525, description="raw pastes whose entry is made; 0: for ever")
    every: int = Field(15, ge=1, le=1440, description="minutes between two syncs")


class Logbook(Role):
    after = ("base", "webhook")

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        release = Release("logbook")
        yield AptPackages(("git",))
        yield JOURNAL
        yield Directory("/opt/trading/journal", mode=0o711)
        yield Directory("/opt/trading/journal/inbox", mode=0o700)
        yield from self._repository()
        yield from (release, env_file("logbook", c, "/opt/trading/.env.d/logbook.env"))
        yield File("/usr/local/bin/jpt", template="logbook/jpt.j2", context={"c": c}, mode=0o755)
        yield Unit("journal-sync.service", c, enabled=None, running=None)
        yield Unit("journal-sync.timer", c)

    def _repository(self) -> Iterable[Resource]:
        """Bare, and root's: git can write neither the log book nor what a service of ours may reach."""
        yield Directory(GIT_DIR, mode=0o700)
        make = ("git", "init", "--quiet", "--bare", "--initial-branch=main", GIT_DIR)
        yield Command("the log book's repository", make, creates=f"{GIT_DIR}/HEAD")

    def checks(self, c: Config) -> Iterable[Check]:
        """Whether GitHub answers is not this host's health: what is not pushed waits."""
        yield active("journal-sync.timer")

    def looks(self, c: Config) -> Iterable[Look]:
        yield Look("journal", file="/opt/trading/journal/sync.json")
