"""What a role is, and how roles are found: one folder under roles/ each, with a role.py."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

from ops.checks import Check, Look
from ops.errors import OpsError
from ops.inventory import Host
from ops.paths import ROLES
from ops.resources import Resource
from ops.role_config import RoleConfig


class Role:
    """Base of every role.

    `resources` MUST be given: what a host with this role has, in the order of application. `checks` MAY say when it
    is healthy, `urls` where its services answer, `looks` where they tell how they stand, `after` which roles come
    first.
    """

    after: ClassVar[tuple[str, ...]] = ()

    def resources(self, c: Any, host: Host) -> Iterable[Resource]:
        raise OpsError(f"{type(self).__module__} does not say what a host has: define resources()")

    def checks(self, c: Any) -> Iterable[Check]:
        return ()

    def urls(self, c: Any, address: str) -> Mapping[str, str]:
        """Names and URLs of the role's services as seen from `address`."""
        return {}

    def looks(self, c: Any) -> Iterable[Look]:
        """What status and doctor read of the role's services."""
        return ()

    @property
    def config(self) -> type[RoleConfig]:
        module = importlib.import_module(type(self).__module__)
        found: type[RoleConfig] = module.Config
        return found


@cache
def discover() -> dict[str, Role]:
    """Every role by its folder's name. OpsError when a folder's role.py defines no Role or no Config."""
    names = sorted(path.parent.name for path in ROLES.glob("*/role.py"))
    found = {name: _load(name) for name in names}
    for name, role in found.items():
        for other in role.after:
            if other not in found:
                raise OpsError(f'roles/{name}/role.py: after names "{other}"; roles are {", ".join(found)}')
    return found


def _load(name: str) -> Role:
    try:
        module = importlib.import_module(f"roles.{name}.role")
    except Exception as error:  # whatever a role's author got wrong, it is told as that
        where = _line_of(error, str(ROLES / name / "role.py"))
        raise OpsError(f"roles/{name}/role.py{where} cannot be loaded: {type(error).__name__}: {error}") from error
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Role) and value.__module__ == module.__name__
    ]
    config = getattr(module, "Config", None)
    if len(classes) != 1 or not (isinstance(config, type) and issubclass(config, RoleConfig)):
        raise OpsError(f"roles/{name}/role.py must define one class of Role and one class Config(RoleConfig)")
    return classes[0]()


def _line_of(error: Exception, path: str) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else None
    return f":{line or lines[-1]}" if line or lines else ""


def configs() -> dict[str, type[RoleConfig]]:
    """Each role's Config, by which the inventory's settings are checked."""
    return {name: role.config for name, role in discover().items()}
