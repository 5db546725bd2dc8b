"""Monitor: looks at a host, its services, its miner and its sticks, shows them, and has people told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from ops.checks import Check, Look, http
from ops.fields import DatabaseUrl, ListenAddress, Port, TimeZone, answers_at
from ops.inventory import Host
from ops.resources import AptPackages, File, Release, Resource, Unit
from ops.role import Role
from ops.role_config import RoleConfig, Secret
from roles.monitor import actions
from roles.monitor.actions import ActionsConfig
from roles.monitor.rules import AlertsConfig

RULES = "/opt/trading/monitor.json"
SYNC = "/opt/trading/journal/sync.json"
DRIFT = "/var/lib/trading-drift/drift.json"
"""What drift-check writes."""
NODE = "/run/blockdag/probe.json"
"""What blockdag-probe writes."""
ENV = "/opt/trading/.env.d/monitor.env"
UNITS: Mapping[str, tuple[str, ...]] = {
    "base": ("ssh.service",),
    "webhook": ("tv-webhook.service", "tv-outbox.service"),
    "perf": ("perf.service",),
    "telegram": ("tv-telegram.service",),
    "miner": ("cgminer.service",),
    "logbook": ("journal-sync.timer",),
    "blockdag": ("docker.service", "blockdag.service", "blockdag-probe.timer"),
    "tunnel": ("ngrok-tv.service",),
}
"""What each role keeps running."""

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
UnitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9:_.@-]{1,200}\.(service|socket|timer|mount|path|target)$")]
AbsolutePath = Annotated[str, Field(pattern=r"^/[^\s,=\"'$`\\]*$")]
Url = Annotated[str, Field(pattern=r"^http://[^\s,\"'$`\\]+$")]
Place = Annotated[str, Field(pattern=r"^(/[^\s,=\"'$`\\]+|[A-Za-z0-9.-]+:\d{1,5})$")]


class Config(RoleConfig):
    port: Port = 8020
    listen: ListenAddress = Field("127.0.0.1", description="address to listen on")
    ops_key: Secret | None = Field(None, description="the webhook's; without it nothing can be muted or restarted")
    timezone: TimeZone = Field("America/Montreal", description="of the page, of quiet hours and of the daily summary")
    language: Literal["fr", "en"] = Field("fr", description="of the page and of what people are told")
    interval: float = Field(5, ge=1, le=300, description="seconds from one look to the next")
    readings_mb: float = Field(64, ge=1, le=100_000, description="what the charts' file may take")
    cgminer: str | None = Field(
        None, pattern=r"^(off|[A-Za-z0-9.:-]+:\d{1,5})$", description="its API; default: 127.0.0.1:4028 with role miner"
    )
    watts: float | None = Field(None, gt=0, le=100_000, description="what all sticks draw, as measured")
    units: tuple[UnitName, ...] = Field((), description="watched besides those of the host's roles")
    services: dict[Label, Url] = Field({}, description="more services by the address of their /ready")
    webhook_url: Url = Field("http://127.0.0.1:8000", description="tv-webhook, where the role is on this host")
    perf_url: Url = Field("http://127.0.0.1:8010", description="the ledger, where the role is on this host")
    mounts: tuple[AbsolutePath, ...] = Field(("/",), min_length=1, description="file systems")
    certificates: dict[Label, Place] = Field({}, description="a PEM file, or host:port")
    keys: dict[Label, date | datetime] = Field({}, description="what expires on a day that only people know")
    backups: dict[Label, AbsolutePath] = Field({}, description="a pattern; the newest file that matches counts")
    drift: bool | AbsolutePath = Field(
        True, description="managed files that were changed by hand; or a file of JSON in which another program counts"
    )
    ping_url: Secret | None = Field(None, description="the dead-man switch: what alerts when its pings stay away")
    ping_every: float = Field(60, ge=10, le=3600, description="seconds")
    peers: dict[Label, Url] = Field({}, description="other hosts' monitors, watched from here")
    nodes: dict[Label, Url] = Field({}, description="BlockDAG nodes elsewhere by the URL of their RPC")
    node_user: str = Field("", pattern=r"^[A-Za-z0-9_.-]{0,64}$", description="who may ask there")
    node_password: Secret | None = None
    tunnel: str | None = Field(
        None,
        pattern=r"^(ngrok|unit|off|https?://[^\s,\"'$`\\]+)$",
        description="the public URL, or ngrok: ask its inspector; default: that of this host's role tunnel",
    )
    ngrok_url: Url | None = Field(None, description="its inspector; default: http://127.0.0.1:4040, or role tunnel's")
    database_url: DatabaseUrl | None = Field(None, description="the same as the webhook's; default: its file")
    log_format: Literal["text", "json"] = Field("text", description="of the service's log: key=value, or JSON")
    min_free_mb: float = Field(200, ge=0, le=1_000_000, description="with less disk than this it is not ready")
    alerts: AlertsConfig = Field(
        AlertsConfig.model_validate({}), description="changes to the default rules; docs/alerts.md"
    )
    actions: ActionsConfig = Field(
        ActionsConfig.model_validate({}), description="what may be done by itself; nothing unless it says so"
    )


class Monitor(Role):
    after = ("base",)

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        release = Release("monitor")
        rules = File(RULES, content=json.dumps(c.alerts.document(), indent=2, ensure_ascii=False) + "\n")
        context = {"c": c, "w": watched(c, host), "name": host.name}
        env = File(ENV, template="env/monitor.env.j2", context=context, mode=0o600, secret=True)
        yield AptPackages(("libusb-1.0-0",))
        yield from (release, env, rules)
        yield from actions.resources(c.actions)
        if c.drift is True:
            yield from drift_check(c)
        restart_on = (release, env, rules, actions.policy_file(c.actions))
        yield Unit("miner-monitor.service", c, restart_on=restart_on)

    def checks(self, c: Config) -> Iterable[Check]:
        """That it looks and remembers. What it sees is no fault of a deploy."""
        yield http(f"{answers_at(c.listen, c.port)}/ready", unit="miner-monitor.service", within=20)

    def looks(self, c: Config) -> Iterable[Look]:
        yield Look("monitor", url=f"{answers_at(c.listen, c.port)}/api/monitor")

    def urls(self, c: Config, address: str) -> Mapping[str, str]:
        url = answers_at(c.listen, c.port, address)
        return {"monitor": url, "miner page": f"{url}/miner"}


def drift_check(c: Config) -> Iterable[Resource]:
    """Root's own look, every five minutes and after each deploy: the monitor may not read what deploys left."""
    yield Unit("drift-check.service", c, enabled=None, running=None)
    yield Unit("drift-check.timer", c)
    yield Unit("drift-check.path", c)


def watched(c: Config, host: Host) -> dict[str, str]:
    """What this host's roles are looked at by, and what the settings add."""
    roles = set(host.roles)
    own = ("drift-check.timer",) if c.drift is True else ()
    units = dict.fromkeys([*(unit for role in host.roles for unit in UNITS.get(role, ())), *own, *c.units])
    ready = {"tv-webhook": f"{c.webhook_url}/ready"} if "webhook" in roles else {}
    ready |= {"perf": f"{c.perf_url}/ready"} if "perf" in roles else {}
    return {
        "units": ",".join(units),
        "services": _pairs(ready | c.services),
        "webhook": c.webhook_url if "webhook" in roles else "",
        "cgminer": c.cgminer or ("127.0.0.1:4028" if "miner" in roles else "off"),
        "certificates": _pairs(c.certificates),
        "keys": _pairs({name: day.isoformat() for name, day in c.keys.items()}),
        "backups": _pairs(c.backups),
        "peers": _pairs(c.peers),
        "nodes": _pairs(c.nodes),
        "blockdag": NODE if "blockdag" in roles else "",
        "journal": SYNC if "logbook" in roles else "",
        "drift": DRIFT if c.drift is True else c.drift or "",
        **_tunnel(c, host),
    }


def _tunnel(c: Config, host: Host) -> dict[str, str]:
    """`tunnel`: its URL, or who tells it. `ngrok`: the inspector that is looked at, "" for none."""
    given = host.settings.get("tunnel", {}) if "tunnel" in host.roles else None
    own = "" if given is None else str(given.get("url") or "unit")
    has_inspector = given is not None and given.get("kind", "ngrok") == "ngrok"
    port = given.get("inspector_port", 4040) if given else 4040
    inspector = c.ngrok_url or (f"http://127.0.0.1:{port}" if has_inspector or c.tunnel == "ngrok" else "")
    public = c.tunnel or own
    return {"tunnel": "", "ngrok": ""} if public in ("", "off") else {"tunnel": public, "ngrok": inspector}


def _pairs(named: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in named.items())
