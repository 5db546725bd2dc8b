"""Base: what every host of ours has, whatever else it does."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from ops.fields import Port, TimeZone
from ops.inventory import Host
from ops.resources import AptPackages, Directory, File, Group, Resource, Symlink, Unit, User
from ops.role import Role
from ops.role_config import RoleConfig


class Config(RoleConfig):
    timezone: TimeZone = "Etc/UTC"
    journal_max: str = Field("500M", pattern=r"^\d+[KMG]$", description="disk that the system journal may take")
    security_updates: bool = Field(True, description="install Debian's security updates by themselves")
    time_sync: bool = True
    firewall: bool = Field(False, description="drop what comes in, but for SSH and open_ports")
    open_ports: tuple[Port, ...] = Field((), description="TCP ports reachable from outside when the firewall is on")


class Base(Role):
    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        yield Group("trading")
        yield User("trading", group="trading", home="/opt/trading")
        yield Directory("/opt/trading")
        yield Directory("/opt/trading/.env.d", mode=0o700)
        for name in ("state", "logs"):
            yield Directory(f"/opt/trading/{name}", owner="trading", group="trading", mode=0o750)
        yield AptPackages(tuple(self._packages(c)))
        yield Symlink("/etc/localtime", f"/usr/share/zoneinfo/{c.timezone}")
        yield File("/etc/timezone", content=f"{c.timezone}\n")
        yield from self._journal(c)
        yield from self._updates(c)
        if c.time_sync:
            yield Unit("systemd-timesyncd.service", vendor=True)
        if c.firewall:
            yield from self._firewall(c, host)

    def _packages(self, c: Config) -> Iterable[str]:
        yield from ("ca-certificates", "tzdata")
        wanted = {"unattended-upgrades": c.security_updates, "systemd-timesyncd": c.time_sync, "nftables": c.firewall}
        yield from (name for name, is_wanted in wanted.items() if is_wanted)

    def _journal(self, c: Config) -> Iterable[Resource]:
        yield Directory("/etc/systemd/journald.conf.d")
        path = "/etc/systemd/journald.conf.d/50-trading-ops.conf"
        limits = File(path, template="base/journald.conf.j2", context={"c": c})
        yield limits
        yield Unit("systemd-journald.service", vendor=True, enabled=None, restart_on=(limits,))

    def _updates(self, c: Config) -> Iterable[Resource]:
        if c.security_updates:
            yield File("/etc/apt/apt.conf.d/52trading-ops", template="base/updates.conf.j2", context={"c": c})
            yield Unit("apt-daily.timer", vendor=True)
            yield Unit("apt-daily-upgrade.timer", vendor=True)

    def _firewall(self, c: Config, host: Host) -> Iterable[Resource]:
        check = ("nft", "-c", "-f", "%s")
        rules = File(
            "/etc/nftables.conf", template="base/nftables.conf.j2", context={"c": c}, mode=0o755, validate=check
        )
        yield rules
        yield Unit("nftables.service", vendor=True, restart_on=(rules,))
