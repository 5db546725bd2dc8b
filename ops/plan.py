"""One host's desired state: its roles' resources, resolved, rendered and ordered, as one versioned document.

Everything that can be wrong without looking at the host is found here, before any connection.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import secrets
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ops.errors import OpsError
from ops.inventory import Host
from ops.release import Bundle
from ops.render import render
from ops.resources import File, Release, Resource, Unit, UnitFile
from ops.role import Role
from ops.role_config import RoleConfig

VERSION = 1
Item = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A host's document, and what the controller needs beside it."""

    host: Host
    document: dict[str, Any]
    bundle: Bundle | None

    @property
    def release(self) -> str:
        return self.bundle.id if self.bundle else ""


def ordered(names: Sequence[str], roles: Mapping[str, Role]) -> list[str]:
    """The host's roles so that each comes after those that it names in `after`; OpsError on a circle."""
    done: list[str] = []
    waiting = list(names)
    while waiting:
        ready = [name for name in waiting if not set(roles[name].after) & set(waiting)]
        if not ready:
            raise OpsError(f"the roles {', '.join(waiting)} each want to come after one another (`after`)")
        done.append(ready[0])
        waiting.remove(ready[0])
    return done


def gather(host: Host, configs: Mapping[str, RoleConfig], roles: Mapping[str, Role]) -> list[tuple[str, Resource]]:
    """(role, resource) in the order of application; the releases of several roles are one."""
    found: list[tuple[str, Resource]] = []
    for name in ordered(host.roles, roles):
        for resource in roles[name].resources(configs[name], host):
            found += [(name, part) for part in _once(found, resource)]
    _check_keys(host, found)
    return found


def _once(found: list[tuple[str, Resource]], resource: Resource) -> list[Resource]:
    """A host has one release; and a file of which only the owner is planned (the log book) may be so for two roles."""
    if isinstance(resource, Release):
        return [] if any(other.key == resource.key for _, other in found) else [resource]
    is_access = isinstance(resource, File) and resource.content is None and not resource.template
    return [] if is_access and any(other == resource for _, other in found) else [resource]


def _check_keys(host: Host, found: list[tuple[str, Resource]]) -> None:
    seen: dict[str, str] = {}
    for role, resource in found:
        place = getattr(resource, "path", resource.key)  # a path is one thing only, whatever its kind
        if place in seen:
            raise OpsError(f"{host.name}: roles {seen[place]} and {role} both describe {place}")
        seen |= {place: role, resource.key: role}
        for cause in resource.restart_on if isinstance(resource, Unit) else ():
            if cause.key not in seen:
                raise OpsError(f"{host.name}: {resource.key} restarts on {cause.key}, which no role puts before it")


def extras(host: Host, configs: Mapping[str, RoleConfig], roles: Mapping[str, Role]) -> list[str]:
    """The extras of pyproject.toml that this host's roles ask for."""
    wanted = (r for name in host.roles for r in roles[name].resources(configs[name], host))
    return sorted({resource.extra for resource in wanted if isinstance(resource, Release)})


def build(
    host: Host,
    configs: Mapping[str, RoleConfig],
    roles: Mapping[str, Role],
    bundle: Bundle | None,
    *,
    why: str = "deploy",
    mode: str = "apply",
    only: str | None = None,
) -> Plan:
    """The document for `host`. `only` keeps one role's resources, and the units that must follow them."""
    found = gather(host, configs, roles)
    items = list(_items(host, found, bundle))
    _link(items)
    names = ordered(host.roles, roles)
    owner = {resource.key: role for role, resource in found}
    needs = {n: [r.key for r in roles[n].resources(configs[n], host) if owner[r.key] != n] for n in names}
    if only:
        items = _only(items, only, needs[only])
    checks = [check.json(n) for n in names if only in (None, n) for check in roles[n].checks(configs[n])]
    document = {
        "version": VERSION,
        "mode": mode,
        "only": only or "",
        "run": {"id": run_id(), "who": who(), "why": why, "release": bundle.id if bundle else ""},
        "facts": {"os": "debian 12", "arch": host.arch, "python": host.python},
        "lock_wait": 30,
        "after": {name: list(roles[name].after) for name in names},
        "needs": {name: keys for name, keys in needs.items() if keys},
        "resources": items,
        "checks": checks,
        "looks": looks(host, configs, roles),
    }
    return Plan(host, document, bundle)


def looks(host: Host, configs: Mapping[str, RoleConfig], roles: Mapping[str, Role]) -> list[Item]:
    """Where the host's services tell how they stand."""
    return [asdict(one) for name in host.roles for one in roles[name].looks(configs[name])]


def _items(host: Host, found: list[tuple[str, Resource]], bundle: Bundle | None) -> Iterator[Item]:
    written: set[str] = set()
    for role, resource in found:
        if isinstance(resource, Unit) and role not in written:
            written.add(role)
            yield from (_item(host, r, _unit_file(u), bundle) for r, u in found if r == role and _has_file(u))
        yield _item(host, role, resource, bundle)


def _item(host: Host, role: str, resource: Resource, bundle: Bundle | None) -> Item:
    want = _rendered(host, resource).want()
    if isinstance(resource, Release):
        want |= _release(host, bundle)
    if _has_file(resource):
        want["restart_on"].append(_unit_file(resource).key)
    return {"key": resource.key, "kind": resource.kind, "role": role, "want": want, "restarts": []}


def _has_file(resource: Resource) -> bool:
    return isinstance(resource, Unit) and not resource.vendor


def _unit_file(unit: Resource) -> UnitFile:
    """A role's unit files come before the first of its units is started: a socket needs its service to be known."""
    assert isinstance(unit, Unit)  # noqa: S101 - told to the type checker
    path, template = f"/etc/systemd/system/{unit.unit}", f"systemd/{unit.unit}.j2"
    return UnitFile(path, template=template, context={"c": unit.config})


def _rendered(host: Host, resource: Resource) -> Resource:
    if not isinstance(resource, File) or not resource.template:
        return resource
    context = {"host": host, "vars": host.vars, **(resource.context or {})}
    return replace(resource, content=render(resource.template, context))


def _release(host: Host, bundle: Bundle | None) -> dict[str, Any]:
    if bundle is None:
        raise OpsError(f"{host.name}: its roles need a release, but none was assembled")
    wheels = [{"name": wheel.name, "sha256": wheel.sha256, "size": wheel.size} for wheel in bundle.wheels]
    installer = {"name": bundle.installer.name, "sha256": bundle.installer.sha256, "size": bundle.installer.size}
    record = {"id": bundle.id, "python": host.python, "wheels": wheels}
    return record | {"requirements": bundle.requirements, "installer": installer}


def _link(items: list[Item]) -> None:
    """Gives each unit a hash of what it must be restarted for, and each resource the units that follow it."""
    by_key = {item["key"]: item for item in items}
    for item in items:
        if item["kind"] != "unit":
            continue
        causes = item["want"]["restart_on"]
        inputs = [by_key[key]["want"] for key in causes]
        item["want"]["inputs"] = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        for key in causes:
            by_key[key]["restarts"].append(item["want"]["name"])


def _only(items: list[Item], role: str, needs: list[str]) -> list[Item]:
    """The role's resources, the release that it shares, and other roles' units where those already run."""
    kept = [item for item in items if item["role"] == role or item["key"] in needs]
    followers = {name for item in kept for name in item["restarts"]}
    return [item if item in kept else _follower(item) for item in items if item in kept or _names(item) & followers]


def _names(item: Item) -> set[str]:
    return {item["want"]["name"]} if item["kind"] == "unit" else set()


def _follower(item: Item) -> Item:
    return {**item, "want": {**item["want"], "enabled": None, "follows": True}}


def run_id() -> str:
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + "-" + secrets.token_hex(2)


def who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
