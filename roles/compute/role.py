"""Compute: one scheduler and many workers, for questions of candles that one machine answers too slowly."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field

from ops.errors import OpsError
from ops.fields import ListenAddress, Network, Port
from ops.inventory import Host
from ops.resources import Check, Release, Resource, Unit, active, env_file
from ops.role import Role
from ops.role_config import RoleConfig, Secret

SCHEDULER = "compute-scheduler.service"
WORKER = "compute-worker.service"


class Config(RoleConfig):
    group: str = Field("compute", description="the inventory's group whose hosts are the cluster")
    scheduler: str | None = Field(None, description="the host that hands out the work; default: the group's first")
    addresses: dict[str, ListenAddress] = Field({}, description="of hosts, where the inventory's are not for this")
    port: Port = Field(8786, description="of the scheduler")
    worker_port: Port = Field(8800, description="the first; each worker takes two, its own and its keeper's")
    controllers: tuple[Network, ...] = Field((), description="who may send work: it runs whatever it is sent")
    storage: tuple[Network, ...] = Field((), description="where candles are fetched from, and the resolver")
    workers: int | None = Field(None, ge=1, le=1024, description="processes; default: one a core")
    memory_percent: int = Field(80, ge=5, le=95, description="of the machine's memory, for all workers together")
    s3_url: str | None = Field(None, pattern=r"^https?://[^\s\"'$`\\]+$", description="default: Amazon's")
    s3_region: str = Field("us-east-1", pattern=r"^[a-z0-9-]+$")
    s3_key: Secret | None = Field(None, description="access key, for reading only")
    s3_secret: Secret | None = None


@dataclass(frozen=True)
class Node:
    """One host's place in the cluster: what its units are written from."""

    c: Config
    address: str
    scheduler: str
    """Its address."""
    allowed: tuple[str, ...]
    """All that may connect, and be connected to."""

    @property
    def is_scheduler(self) -> bool:
        return self.address == self.scheduler

    @property
    def url(self) -> str:
        return url(self.scheduler, self.c.port)


class Compute(Role):
    after = ("base",)

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        node = node_of(c, host)
        release = Release("compute")
        env = env_file("compute", c, "/opt/trading/.env.d/compute.env")
        yield from (release, env)
        yield Unit(SCHEDULER, node, restart_on=(release,), enabled=node.is_scheduler, running=node.is_scheduler)
        yield Unit(WORKER, node, restart_on=(release, env))

    def checks(self, c: Config) -> Iterable[Check]:
        """That it runs. Whether it reached the scheduler is asked there: this host may be deployed before that one."""
        yield active(WORKER)


def node_of(c: Config, host: Host) -> Node:
    """Raises OpsError when the group, the scheduler or an address is not what systemd and a socket can take."""
    places = _places(c, host)
    names = list(places)
    chosen = c.scheduler or names[0]
    if chosen not in places:
        raise OpsError(
            f"{host.name}: settings.compute.scheduler is {chosen}; the group {c.group} has {', '.join(names)}",
            hint="name one of them, or none: then it is the first",
        )
    allowed = dict.fromkeys((*places.values(), *c.controllers, *c.storage))
    return Node(c, places[host.name], places[chosen], tuple(allowed))


def _places(c: Config, host: Host) -> Mapping[str, str]:
    """The cluster's hosts by address, in the order of the group."""
    if c.group not in host.mates:
        has = ", ".join(host.mates) or "none"
        raise OpsError(
            f"{host.name} has the role compute, but is not in the group {c.group} (its groups: {has})",
            hint=f"add it to groups.{c.group} in inventory.yaml, or set settings.compute.group",
        )
    return {mate.name: _address(host, mate.name, c.addresses.get(mate.name, mate.address)) for mate in host.mates[c.group]}


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
            hint=f"settings.compute.addresses: {{{name}: 192.0.2.10}}, for the whole group",
        ) from None


def url(address: str, port: int) -> str:
    """tcp://ADDRESS:PORT, as `quant.sweep --scheduler` takes it."""
    return f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"
