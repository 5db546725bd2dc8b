"""Perf: the ledger of virtual trades and what they add up to. It records and measures; it never trades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from ops.checks import Check, active, http
from ops.fields import DatabaseUrl, ListenAddress, Port, TimeZone, answers_at, database_address
from ops.inventory import Host
from ops.resources import Release, Resource, Unit, env_file
from ops.role import Role
from ops.role_config import RoleConfig, Secret


class Config(RoleConfig):
    port: Port = 8010
    listen: ListenAddress = Field("127.0.0.1", description="address to listen on")
    token: Secret = Field(min_length=12, description="bearer token for callers from other machines")
    equity0: float = Field(10_000.0, gt=0, description="account size that the equity curve starts from")
    timezone: TimeZone = Field("America/Montreal", description="of the page's times; figures are by UTC day and hour")
    language: Literal["fr", "en"] = Field("fr", description="of the page")
    reversal: Literal["close", "keep"] = Field("keep", description="what an OPEN does to the engine's opposite trade")
    log_format: Literal["text", "json"] = Field("text", description="of the service's log: key=value, or JSON")
    min_free_mb: float = Field(200, ge=0, le=1_000_000, description="with less disk than this it is not ready")
    parquet: bool = Field(False, description="also export the ledger as Parquet: 170 MB more for each release kept")
    database_url: DatabaseUrl | None = Field(
        None, description="PostgreSQL for more than one worker or host; default: a file"
    )

    @property
    def database_address(self) -> str | None:
        """What the unit may reach; None: nothing."""
        return database_address(self.database_url)


class Perf(Role):
    after = ("base",)

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        release = Release("perf")
        env = env_file("perf", c, "/opt/trading/.env.d/perf.env")
        yield from (release, env)
        if c.parquet:
            yield Release("parquet")
        yield Unit("perf.socket", c, service="perf.service")
        yield Unit("perf.service", c, restart_on=(release, env))

    def checks(self, c: Config) -> Iterable[Check]:
        yield active("perf.socket")
        yield http(f"{answers_at(c.listen, c.port)}/ready", unit="perf.service")

    def urls(self, c: Config, address: str) -> Mapping[str, str]:
        url = answers_at(c.listen, c.port, address)
        return {"perf": url, "perf page": f"{url}/perf/ui"}
