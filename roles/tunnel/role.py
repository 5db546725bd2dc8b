"""Tunnel: the public URL that TradingView's alerts come to, by the agent of ngrok, Cloudflare or Tailscale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ops.checks import Check, Look, active
from ops.fields import TRADINGVIEW, Port, Sender
from ops.inventory import Host
from ops.resources import AptPackages, Command, File, Release, Resource, Unit, env_file
from ops.role import Role
from ops.role_config import RoleConfig, Secret
from roles.shared import RepositoryConfig

UNIT = "ngrok-tv.service"
ENV = "/opt/trading/.env.d/tunnel.env"
STATE = "/run/ngrok-tv/state.json"
"""Where the unit says how the tunnel stands."""
SECRET = "/opt/trading/.env.d/tunnel.secret"  # noqa: S105 - where it is, not what it is
Url = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.:-]+$")]


@dataclass(frozen=True)
class Vendor:
    """Where a vendor keeps its Debian packages; each may be somewhere else by the inventory."""

    package: str
    uri: str
    suite: str
    key: str


VENDORS = {
    "ngrok": Vendor(
        "ngrok", "https://ngrok-agent.s3.amazonaws.com", "bookworm", "https://ngrok-agent.s3.amazonaws.com/ngrok.asc"
    ),
    "cloudflared": Vendor(
        "cloudflared",
        "https://pkg.cloudflare.com/cloudflared",
        "bookworm",
        "https://pkg.cloudflare.com/cloudflare-main.gpg",
    ),
    "tailscale": Vendor(
        "tailscale",
        "https://pkgs.tailscale.com/stable/debian",
        "bookworm",
        "https://pkgs.tailscale.com/stable/debian/bookworm.noarmor.gpg",
    ),
}


class Config(RoleConfig):
    kind: Literal["ngrok", "cloudflared", "tailscale"] = "ngrok"
    token: Secret = Field(min_length=8, description="ngrok's authtoken, a Cloudflare tunnel's token, a Tailscale key")
    url: Url | None = Field(None, description="the public URL, https://NAME.ngrok-free.dev; tailscale tells its own")
    repository: RepositoryConfig | None = Field(None, description="where the agent's package comes from, and its key")
    version: str | None = Field(None, pattern=r"^[A-Za-z0-9.+:~-]+$", description="of the package; default: the newest")
    binary: str | None = Field(
        None, pattern=r"^/[A-Za-z0-9._/-]+$", description="an agent on the host, instead of a package"
    )
    upstream: Annotated[str, Field(pattern=r"^http://[A-Za-z0-9.:-]+$")] = Field(
        "http://127.0.0.1:8000", description="tv-webhook, on this host"
    )
    inspector_port: Port = Field(4040, description="of ngrok's inspector, on this host only")
    policy: bool = Field(False, description="refuse at ngrok's edge too, where the plan has traffic policies")
    sources: tuple[Sender, ...] = Field(
        (), description="with policy, who may send alerts: tradingview, addresses, networks"
    )
    take_over: bool = Field(False, description="stop an agent that somebody else started on this host")
    ops_key: Secret | None = Field(None, description="the webhook's: tunnel.status proves with it where the URL leads")

    @model_validator(mode="after")
    def _can_be(self) -> Config:
        if (self.repository is None) is (self.binary is None):
            raise ValueError(
                "give either repository.key (the key of the vendor's packages, "
                f"{VENDORS[self.kind].key}, read before it is trusted) or binary (an agent that is on the host)"
            )
        if self.kind != "tailscale" and self.url is None:
            raise ValueError(f"url is missing: {self.kind} serves a URL that was reserved at its dashboard")
        if self.version and self.binary:
            raise ValueError("version is a package's; with a binary there is none")
        return self

    @property
    def addresses(self) -> list[str]:
        """TradingView's spelled out."""
        return [one for name in self.sources for one in (TRADINGVIEW if name == "tradingview" else (name,))]


class Tunnel(Role):
    after = ("base", "webhook")

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        release = Release("tunnel")
        env = env_file("tunnel", c, ENV)
        secret = _secret(c)
        package = list(_package(c))
        yield from (release, *package, env, secret)
        if c.kind == "tailscale":
            yield from _joined()
        yield Unit(UNIT, c, restart_on=(release, env, secret, *package))

    def checks(self, c: Config) -> Iterable[Check]:
        """Whether the vendor answers is not this host's health: the unit is ready without it, and says why."""
        yield active(UNIT)

    def looks(self, c: Config) -> Iterable[Look]:
        yield Look("tunnel", file=STATE)
        yield Look("probe", module="runtime.tunnel", words=("status",), env=ENV)


def _secret(c: Config) -> File:
    """What only root reads: systemd hands it to the unit as a credential."""
    template = "env/ngrok.yml.j2" if c.kind == "ngrok" else "env/tunnel.secret.j2"
    return File(SECRET, template=template, context={"c": c}, mode=0o600, secret=True)


def _package(c: Config) -> Iterable[Resource]:
    if c.repository is None:
        return
    vendor, given = VENDORS[c.kind], c.repository
    yield given.at(vendor.package, vendor.uri, vendor.suite, "main")
    yield AptPackages((f"{vendor.package}={c.version}" if c.version else vendor.package,))


def _joined() -> Iterable[Resource]:
    """Tailscale's daemon, and this host in its network; `trading` may then ask it to serve."""
    yield Unit("tailscaled.service", vendor=True)
    yield Command(
        "join the tailnet",
        ("tailscale", "up", f"--auth-key=file:{SECRET}", "--operator=trading"),
        unless=("tailscale", "status"),
    )
