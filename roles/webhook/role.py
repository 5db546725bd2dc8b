"""Webhook: takes TradingView's alerts on a socket that systemd owns, and commits each before it answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from ops.checks import Check, Look, active, http
from ops.fields import DatabaseUrl, ListenAddress, Port, Sender, TimeZone, answers_at, database_address
from ops.inventory import Host
from ops.resources import File, Release, Resource, Unit, env_file
from ops.role import Role
from ops.role_config import RoleConfig, Secret
from roles.shared import JOURNAL
from roles.webhook.guards import GuardsConfig

ENGINES = "/opt/trading/engines.json"
GUARDS = "/opt/trading/guards.json"


class EngineConfig(RoleConfig):
    """What is said here is laid over the built-in engine of that name; the service checks how it fits together."""

    direction: Literal["long", "short", "both"] = "both"
    aggressive: bool = Field(False, description="excludes the other aggressive engines")
    equity: float | None = Field(None, gt=0, description="USD")
    risk_pct: float | None = Field(None, gt=0, le=20, description="0.01 and 1 are both 1 %")
    qty_step: float | None = Field(None, gt=0)
    min_qty: float | None = Field(None, ge=0)
    contract: Literal["linear", "inverse"] = "linear"
    contract_value: float | None = Field(None, gt=0, description="units in a contract; USD for inverse ones")
    max_leverage: float | None = Field(None, gt=0, description="null: no cap")
    tick_size: float | None = Field(None, gt=0)
    min_stop_ticks: float | None = Field(None, ge=0)


class KeyConfig(RoleConfig):
    """One more key. It is refused from `expires` on."""

    key: Secret = Field(min_length=12)
    expires: AwareDatetime | None = Field(None, description="2026-12-31T00:00:00+00:00; null: never")


def _key_name(name: str) -> str:
    if name == "default":
        raise ValueError('"default" is the name of webhook_key; choose another, such as tv-2027')
    return name


KeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$"), AfterValidator(_key_name)]


class Config(RoleConfig):
    port: Port = 8000
    listen: ListenAddress = Field("127.0.0.1", description="address to listen on")
    webhook_key: Secret = Field(min_length=12, description="what an alert carries as `key`")
    keys: dict[KeyName, KeyConfig] = Field(default={}, description="more keys by name; webhook_key is `default`")
    ops_key: Secret = Field(min_length=12, description="what an operator's request carries")
    timezone: TimeZone = Field("America/Montreal", description="of the journal's and the dashboard's times")
    language: Literal["fr", "en"] = Field("fr", description="of the dashboard")
    opposite: Literal["close", "reject"] = Field("close", description="a signal against an engine's direction")
    lock_expiry: float = Field(0, ge=0, le=31_536_000, description="seconds; 0: the lock never expires")
    dedupe: float = Field(30, ge=0, le=86_400, description="seconds; 0: only an alert's own id tells a repetition")
    perf_url: str = Field(
        "http://127.0.0.1:8010", pattern=r"^http://[^\s\"'$`\\]+$", description="the ledger, on this host"
    )
    events_jsonl: str = Field(
        "/opt/trading/logs/events.jsonl",
        pattern=r"^(/opt/trading/(logs|state)/[A-Za-z0-9._-]+)?$",
        description='every alert, refused ones too, as a line of JSON; "": none',
    )
    events_max_mb: float = Field(64, ge=1, le=100_000, description="it is put aside when it has grown so large")
    events_keep: int = Field(10, ge=1, le=10_000, description="how many of those stay, packed")
    retention_days: float = Field(
        0, ge=0, le=36_525, description="older alerts keep their known fields only; 0: everything is kept"
    )
    log_format: Literal["text", "json"] = Field("text", description="of the service's log: key=value, or JSON")
    min_free_mb: float = Field(200, ge=0, le=1_000_000, description="with less disk than this it is not ready")
    max_lag: float = Field(300, ge=0, le=31_536_000, description="seconds; a sink further behind is degraded")
    database_url: DatabaseUrl | None = Field(
        None, description="PostgreSQL for more than one worker or host; default: a file"
    )
    tunnel_allows: Literal["alerts", "all"] = Field(
        "alerts", description="what may come in through a tunnel or proxy on the host: POST /tv alone, or all"
    )
    tunnel_sources: tuple[Sender, ...] = Field(
        (), description="who may send alerts through it: tradingview, addresses, networks; none: anybody with a key"
    )
    engines: dict[str, EngineConfig] = Field(default={}, description="instead of the host's risk_config.json")
    guards: GuardsConfig | None = Field(None, description="instead of the section of that name in the engines file")

    @property
    def database_address(self) -> str | None:
        """What the unit may reach beside this host; None: nothing."""
        return database_address(self.database_url)

    @property
    def keys_json(self) -> str:
        """In ASCII: nothing in it can end a line of the env file."""
        said = {name: (one.key.get_secret_value(), one.expires) for name, one in self.keys.items()}
        return json.dumps({n: {"key": key, "expires": end and end.isoformat()} for n, (key, end) in said.items()})


class Webhook(Role):
    after = ("base",)

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        release = Release("webhook")
        env = env_file("webhook", c, "/opt/trading/.env")
        yield JOURNAL
        yield from (release, env)
        engines = [File(ENGINES, content=_engines(c))] if c.engines else []
        guards = [File(GUARDS, content=_guards(c.guards))] if c.guards else []
        yield from (*engines, *guards)
        yield Unit("tv-webhook.socket", c, service="tv-webhook.service")
        yield Unit("tv-webhook.service", c, restart_on=(release, env, *engines, *guards))
        yield Unit("tv-outbox.service", c, restart_on=(release, env, *engines, *guards))

    def checks(self, c: Config) -> Iterable[Check]:
        yield active("tv-webhook.socket")
        yield active("tv-outbox.service")
        yield http(f"{answers_at(c.listen, c.port)}/ready", unit="tv-webhook.service")

    def looks(self, c: Config) -> Iterable[Look]:
        yield Look("outbox", module="runtime.outbox", words=("status", "--json"), env="/opt/trading/.env")

    def urls(self, c: Config, address: str) -> Mapping[str, str]:
        url = answers_at(c.listen, c.port, address)
        return {"webhook": url, "dashboard": f"{url}/dash"}


def _engines(c: Config) -> str:
    """Only what the inventory says: the rest is the service's own."""
    given = {name: engine.model_dump(exclude_unset=True) for name, engine in c.engines.items()}
    return json.dumps({"engines": given}, indent=2) + "\n"


def _guards(guards: GuardsConfig) -> str:
    """As written: a preset's guard that is turned off stays null."""
    given = guards.model_dump(exclude_unset=True, by_alias=True)
    return json.dumps({"guards": given}, indent=2, ensure_ascii=False) + "\n"
