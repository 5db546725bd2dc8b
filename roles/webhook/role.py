"""Webhook: takes TradingView's alerts on a socket that systemd owns, and commits each before it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field

from ops.fields import ListenAddress, Port, TimeZone, answers_at
from ops.inventory import Host
from ops.resources import Check, File, Release, Resource, Unit, active, env_file, http
from ops.role import Role
from ops.role_config import RoleConfig, Secret


class Config(RoleConfig):
    port: Port = 8000
    listen: ListenAddress = Field("127.0.0.1", description="address to listen on")
    webhook_key: Secret = Field(min_length=12, description="what an alert carries as `key`")
    ops_key: Secret = Field(min_length=12, description="what an operator's request carries")
    timezone: TimeZone = Field("America/Montreal", description="of the journal's times")


class Webhook(Role):
    after = ("base",)

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        release = Release("webhook")
        env = env_file("webhook", c, "/opt/trading/.env")
        yield File("/opt/trading/journal.md", owner="trading", group="trading", mode=0o640)
        yield from (release, env)
        yield Unit("tv-webhook.socket", c, service="tv-webhook.service")
        yield Unit("tv-webhook.service", c, restart_on=(release, env))

    def checks(self, c: Config) -> Iterable[Check]:
        yield active("tv-webhook.socket")
        yield http(f"{answers_at(c.listen, c.port)}/ready", unit="tv-webhook.service")

    def urls(self, c: Config, address: str) -> Mapping[str, str]:
        return {"webhook": answers_at(c.listen, c.port, address)}
