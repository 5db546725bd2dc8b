"""Which host of a group is which in a cluster, from the inventory alone: its role and the task agree by this."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ops.errors import OpsError
from ops.inventory import Host


class Wanted(Protocol):
    """The settings that decide it."""

    @property
    def group(self) -> str: ...
    @property
    def scheduler(self) -> str | None: ...
    @property
    def addresses(self) -> Mapping[str, str]: ...
    @property
    def port(self) -> int: ...


@dataclass(frozen=True)
class Place:
    """One host in its cluster: IP addresses, of this host, of the one that schedules, and of all of them."""

    address: str
    scheduler: str
    everyone: tuple[str, ...]
    port: int

    @property
    def is_scheduler(self) -> bool:
        return self.address == self.scheduler

    @property
    def url(self) -> str:
        """As `quant.sweep --scheduler` takes it."""
        shown = f"[{self.scheduler}]" if ":" in self.scheduler else self.scheduler
        return f"tcp://{shown}:{self.port}"


def place_of(c: Wanted, host: Host) -> Place:
    """Raises OpsError when the group, the scheduler or an address is not what systemd and a socket can take."""
    found = _addresses(c, host)
    chosen = c.scheduler or next(iter(found))
    if chosen not in found:
        raise OpsError(
            f"{host.name}: settings.compute.scheduler is {chosen}; the group {c.group} has {', '.join(found)}",
            hint="name one of them, or none: then it is the first",
        )
    return Place(found[host.name], found[chosen], tuple(found.values()), c.port)


def _addresses(c: Wanted, host: Host) -> dict[str, str]:
    """The cluster's hosts by name, in the order of the group."""
    if c.group not in host.mates:
        raise OpsError(
            f"{host.name} has the role compute, but is not in the group {c.group}; it is in {_listed(host)}",
            hint=f"add it to groups.{c.group} in inventory.yaml, or set settings.compute.group",
        )
    mates = host.mates[c.group]
    return {mate.name: _address(host, mate.name, c.addresses.get(mate.name, mate.address)) for mate in mates}


def _listed(host: Host) -> str:
    return ", ".join(host.mates) or "none"


def _address(host: Host, name: str, address: str) -> str:
    if not address:
        raise OpsError(
            f"{host.name}: the lab host {name} of its group does not run, so its address is not known",
            hint=f"./inv lab.up --name {name}",
        )
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        raise OpsError(
            f"{host.name}: the address of {name} is the name {address}; a cluster needs IP addresses",
            hint=f"in groups, settings.compute.addresses: {{{name}: 192.0.2.10}}",
        ) from None
