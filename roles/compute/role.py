"""Compute: one scheduler and many workers, for questions of candles that one machine answers too slowly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field

from ops.checks import Check, active
from ops.cluster_place import Place, place_of
from ops.fields import ListenAddress, Network, Port
from ops.inventory import Host
from ops.resources import Release, Resource, Unit, env_file
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
    s3_key: Secret | None = Field(None, description="access key; reading is all that it need allow")
    s3_secret: Secret | None = None


@dataclass(frozen=True)
class Node:
    """What one host's units are written from."""

    c: Config
    place: Place

    @property
    def allowed(self) -> tuple[str, ...]:
        """All that may connect, and be connected to."""
        return tuple(dict.fromkeys((*self.place.everyone, *self.c.controllers, *self.c.storage)))


class Compute(Role):
    after = ("base",)

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        node = Node(c, place_of(c, host))
        release = Release("compute")
        env = env_file("compute", c, "/opt/trading/.env.d/compute.env")
        schedules = node.place.is_scheduler
        yield from (release, env)
        yield Unit(SCHEDULER, node, restart_on=(release,), enabled=schedules, running=schedules)
        yield Unit(WORKER, node, restart_on=(release, env))

    def checks(self, c: Config) -> Iterable[Check]:
        """That it runs. Whether it reached the scheduler is asked there: this host may be deployed before that one."""
        yield active(WORKER)
