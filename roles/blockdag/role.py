"""BlockDAG: a node in a container of its own, that mines to an address, within a budget of disk, and is looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from ops import render
from ops.checks import Check, Look, active, docker
from ops.errors import OpsError
from ops.inventory import Host
from ops.resources import Command, Compose, Directory, File, Release, Resource, Unit, env_file
from ops.role import Role
from roles.blockdag.config import Config

__all__ = ["Config"]

ROOT = "/opt/blockdag"
UNIT = "blockdag.service"
PROBE, TIMER = "blockdag-probe.service", "blockdag-probe.timer"
ENV = "/opt/trading/.env.d/blockdag.env"
PULL_SECONDS = 1800


class Blockdag(Role):
    after = ("base", "docker")

    def resources(self, c: Config, host: Host) -> Iterable[Resource]:
        if "docker" not in host.roles:
            raise OpsError(f"{host.name} has role blockdag and no role docker", hint="add docker to its roles")
        release = Release("blockdag")
        yield release
        # First, and before anything is changed: an image that cannot be had leaves all as it was.
        yield _pulled(c)
        yield from (Directory(ROOT, mode=0o750), Directory(c.data, mode=0o750))
        yield from (Directory(f"{c.data}/{name}", mode=0o750) for name in ("data", "logs"))
        files = list(_files(c))
        yield from files
        env = env_file("blockdag", c, ENV)
        yield env
        yield Unit(UNIT, c, restart_on=tuple(files))
        yield Compose("blockdag", f"{ROOT}/compose.yaml", {"node": c.pinned}, stamp(c), UNIT)
        yield Unit(PROBE, c, enabled=None, running=None)
        yield Unit(TIMER, c, restart_on=(env, release))

    def checks(self, c: Config) -> Iterable[Check]:
        """That the node runs and goes on running. Whether it has peers is no fault of a deploy."""
        yield docker(UNIT, container=c.container)
        yield active(TIMER)

    def looks(self, c: Config) -> Iterable[Look]:
        yield Look("node", file="/run/blockdag/probe.json")


def _pulled(c: Config) -> Command:
    guard = ("docker", "image", "inspect", "--format", "{{.Id}}", c.pinned)
    return Command(f"pull {c.pinned}", ("docker", "pull", "-q", c.pinned), unless=guard, timeout=PULL_SECONDS)


def _files(c: Config) -> Iterable[File]:
    """The compose file, what it takes from `.env`, and what only the node reads."""
    given = {"c": c, "stamp": stamp(c)}
    yield File(f"{ROOT}/node.conf", template="blockdag/node.conf.j2", context=given, mode=0o600, secret=True)
    yield File(f"{ROOT}/.env", template="blockdag/env.j2", context=given, mode=0o600)
    yield File(f"{ROOT}/compose.yaml", template="blockdag/compose.yaml.j2", context=given, mode=0o600)


def stamp(c: Config) -> str:
    """A label of the container: of all that it was made from, so that a change of any of it makes it anew.

    The password is in it only as part of a hash of all.
    """
    texts = [render.place(f"blockdag/{name}.j2").read_text() for name in ("compose.yaml", "env", "node.conf")]
    values = json.dumps(c.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256("\0".join([*texts, values, _hidden(c)]).encode()).hexdigest()[:16]


def _hidden(c: Any) -> str:
    return str(c.rpc_password.get_secret_value())
