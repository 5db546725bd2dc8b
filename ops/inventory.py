"""The inventory: which hosts there are, what each should be, checked whole before anything connects.

`load` reads inventory.yaml and every role's settings and tells all problems at once, each with its line, its path, what
is allowed and the nearest match. It needs no secret. `resolve` then puts the secrets in, and says all that are unset.

A host `like` another takes over everything but what names one machine (`address`, `host_key`). Settings are laid over
each other key by key: the groups' first, then those of the host it is like, then its own. A variable stands in for a
role's field of the same name where no settings say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ops.errors import InventoryError, UsageError
from ops.inventory_spec import GroupSpec, HostSpec, TopSpec, is_name
from ops.role_config import RoleConfig, is_ref
from ops.settings import Given, Layer, check_settings, merge, resolve, secret_values
from ops.wording import explain, findings, listed, nearest
from ops.yamlpos import Document, Where, parse

__all__ = ["Host", "Inventory", "load", "resolve", "secret_values"]

Configs = Mapping[str, type[RoleConfig]]
Spec = TypeVar("Spec", bound=BaseModel)
MACHINE = ("address", "host_key")
"""What names one machine, so `like` never copies it."""
LAB_GIVES = ("address", "port", "user", "key", "host_key")
"""What the lab decides for a machine it boots."""


@dataclass(frozen=True)
class Mate:
    """A host of the same group, and where the others reach it: "" for a lab host that does not run."""

    name: str
    address: str
    lab: bool = False


@dataclass(frozen=True)
class Host:
    """One machine as the inventory wants it. `settings` holds SecretRefs where the values will come later."""

    name: str
    address: str
    port: int = 22
    user: str = "root"
    key: Path | None = None
    host_key: str | None = None
    arch: str = "x86_64"
    python: str = "3.11"
    roles: tuple[str, ...] = ()
    vars: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    lab: bool = False
    groups: tuple[str, ...] = ()
    mates: dict[str, tuple[Mate, ...]] = field(default_factory=dict)
    """Of each of its groups every host, itself included, in the order written."""


@dataclass(frozen=True)
class JournalRules:
    """Which runs the log book is told of."""

    deploys: bool = True
    rollbacks: bool = True
    rotations: bool = True


@dataclass(frozen=True)
class Inventory:
    """Every host and group, in the order written."""

    hosts: dict[str, Host]
    groups: dict[str, tuple[str, ...]]
    journal: JournalRules = JournalRules()

    def host(self, name: str) -> Host:
        """Raises UsageError with the nearest name."""
        if name not in self.hosts:
            raise UsageError(f'no host "{name}"; hosts are {listed(self.hosts)}{nearest(name, self.hosts)}')
        return self.hosts[name]

    def group(self, name: str) -> tuple[Host, ...]:
        """Raises UsageError with the nearest name."""
        if name not in self.groups:
            raise UsageError(f'no group "{name}"; groups are {listed(self.groups)}{nearest(name, self.groups)}')
        return tuple(self.hosts[member] for member in self.groups[name])

    def select(self, host: str | None = None, group: str | None = None, all: bool = False) -> tuple[Host, ...]:
        """The hosts a command is about. `all` means every real machine: a lab host is only ever named itself."""
        if sum((host is not None, group is not None, all)) != 1:
            raise UsageError("say which hosts: one of --host H, --group G, --all", hint="./inv deploy --host lab")
        if host is not None:
            return (self.host(host),)
        return self.group(group) if group is not None else tuple(h for h in self.hosts.values() if not h.lab)


def load(path: Path, configs: Configs) -> Inventory:
    """Read and check the whole file. Raises InventoryError naming every problem, in the order of their lines."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InventoryError(f"cannot read {path}: {error}") from None
    document = parse(text, path.name)
    inventory = _Loading(document, configs).inventory() if document.data is not None else None
    if inventory is None and not document.found:
        document.report((), "the file is empty; it needs version: 1 and hosts:")
    problems = document.problems()
    if problems or inventory is None:
        count = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
        raise InventoryError(f"{count} in {path.name}:\n" + "\n".join(problems))
    return inventory


def _lenient(model: type[Spec], raw: object, document: Document, where: Where) -> Spec:
    """Validate, report what is wrong, and go on with the rest so that every later check still runs."""
    if not isinstance(raw, dict):
        document.report(where, "this must be a mapping (key: value lines)")
        return model()
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        details = findings(error)
    for detail in details:
        document.report((*where, *detail["loc"]), explain(detail, model))
    wrong = {detail["loc"][0] for detail in details}
    return model.model_validate({key: value for key, value in raw.items() if key not in wrong})


class _Loading:
    """One reading of the file: the pieces as written, then put together host by host."""

    def __init__(self, document: Document, configs: Configs) -> None:
        self.document, self.configs = document, configs
        top = _lenient(TopSpec, document.data, document, ())
        self.journal = top.journal
        if not top.hosts:
            document.report(("hosts",), "there are no hosts; write hosts: and one name below it")
        if ("version",) not in document.lines:
            document.report((), "version is missing; write version: 1 on the first line")
        for where in [("hosts", name) for name in top.hosts] + [("groups", name) for name in top.groups]:
            if not is_name(where[1]):
                document.report(
                    where, "a name is letters, digits, dots, dashes and _, and begins with a letter or digit"
                )
        self.hosts = {name: self._host_spec(name, raw) for name, raw in top.hosts.items()}
        self.shapeless = {name for name, raw in top.hosts.items() if raw is not None and not isinstance(raw, dict)}
        self.groups = {name: self._group(name, raw) for name, raw in top.groups.items()}

    def _host_spec(self, name: str, raw: object) -> HostSpec:
        return _lenient(HostSpec, {} if raw is None else raw, self.document, ("hosts", name))

    def _group(self, name: str, raw: object) -> GroupSpec:
        group = _lenient(GroupSpec, {"hosts": raw} if isinstance(raw, list) else raw, self.document, ("groups", name))
        base: Where = ("groups", name) if isinstance(raw, list) else ("groups", name, "hosts")
        for i, member in enumerate(group.hosts):
            if member not in self.hosts:
                self._unknown((*base, i), member, "host", self.hosts)
            elif member in group.hosts[:i]:
                self.document.report((*base, i), f'"{member}" is already in this group; keep one')
        return group

    def _unknown(self, where: Where, word: str, what: str, known: Iterable[str]) -> None:
        text = f'"{word}" is not a {what}; {what}s are {listed(known)}{nearest(word, known)}'
        self.document.report(where, text)

    def inventory(self) -> Inventory:
        self._check_likes()
        for name in self.hosts:
            self._check_roles(name)
        for name, group in self.groups.items():
            roles = [role for member in group.hosts if member in self.hosts for role in self._get(member, "roles")]
            self._check_owned(("groups", name, "settings"), group.settings, roles, "no host of this group has")
        hosts = {name: self._host(name) for name in self.hosts}
        members = {name: tuple(group.hosts) for name, group in self.groups.items()}
        return Inventory(hosts, members, JournalRules(**self.journal.model_dump()))

    def _check_likes(self) -> None:
        for name, spec in self.hosts.items():
            if spec.like is not None and spec.like not in self.hosts:
                self._unknown(("hosts", name, "like"), spec.like, "host", [h for h in self.hosts if h != name])
            chain = self._chain(name)
            last = self.hosts[chain[-1]].like
            if last == name:
                told = " -> ".join([*chain, name])
                self.document.report(("hosts", name, "like"), f"these hosts are like each other in a circle: {told}")

    def _chain(self, name: str) -> list[str]:
        """The host, the one it is like, and so on; stops before a name unknown or already met."""
        chain = [name]
        while (parent := self.hosts[chain[-1]].like) in self.hosts and parent not in chain:
            chain.append(str(parent))
        return chain

    def _get(self, name: str, key: str) -> Any:
        """A host's own value of `key`, or that of the nearest host it is like, or the default."""
        chain = [name] if key in MACHINE else self._chain(name)
        for spec in (self.hosts[link] for link in chain):
            if key in spec.model_fields_set:
                return getattr(spec, key)
        return HostSpec.model_fields[key].get_default(call_default_factory=True)

    def _check_roles(self, name: str) -> None:
        spec, where = self.hosts[name], ("hosts", name, "roles")
        for i, role in enumerate(spec.roles):
            if role not in self.configs:
                self._unknown((*where, i), role, "role", sorted(self.configs))
            elif role in spec.roles[:i]:
                self.document.report((*where, i), f'"{role}" is already in this list; keep one')
        if where not in self.document.lines and spec.like is None and name not in self.shapeless:
            self.document.report(where[:2], f"roles is missing; roles are {listed(sorted(self.configs))}")
        roles = self._get(name, "roles")
        self._check_owned(("hosts", name, "settings"), spec.settings, roles, "this host does not have")
        if self._get(name, "lab"):
            for key in [key for key in LAB_GIVES if key in spec.model_fields_set]:
                self.document.report(("hosts", name, key), f"the lab decides {key} for its machines; remove this line")

    def _check_owned(self, where: Where, settings: Iterable[str], roles: Sequence[str], refusal: str) -> None:
        for role in settings:
            if role not in self.configs:
                self._unknown((*where, role), role, "role", sorted(self.configs))
            elif role not in roles:
                has = listed(dict.fromkeys(roles))
                text = f"{refusal} the role {role} (roles: {has}); add it to roles or remove these settings"
                self.document.report((*where, role), text)

    def _layers(self, name: str, key: str) -> list[Layer]:
        """Weakest first: for each host of the chain, farthest first, its groups' values and then its own."""
        layers = []
        for link in reversed(self._chain(name)):
            joined = [("groups", g) for g, group in self.groups.items() if link in group.hosts]
            layers += [Layer(getattr(self.groups[g], key), (top, g, key)) for top, g in joined]
            layers.append(Layer(getattr(self.hosts[link], key), ("hosts", link, key)))
        return layers

    def _host(self, name: str) -> Host:
        get = {key: self._get(name, key) for key in ("arch", "python", "lab", "host_key")}
        contact = {key: self._get(name, key) for key in ("port", "user", "key")} if not get["lab"] else {}
        groups = tuple(g for g, group in self.groups.items() if name in group.hosts)
        mates = {g: tuple(map(self._mate, self._known(g))) for g in groups}
        roles = tuple(role for role in self._get(name, "roles") if role in self.configs)
        settings, variables = self._values(name, roles)
        address = self._get(name, "address") or name
        return Host(
            name, address, **contact, **get, roles=roles, vars=variables, settings=settings, groups=groups, mates=mates
        )

    def _known(self, group: str) -> list[str]:
        return [member for member in self.groups[group].hosts if member in self.hosts]

    def _mate(self, name: str) -> Mate:
        return Mate(name, self._get(name, "address") or name, self._get(name, "lab"))

    def _values(self, name: str, roles: Sequence[str]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        variables = merge(self._layers(name, "vars"))
        for key, value in variables.data.items():
            if is_ref(value):
                self.document.report(variables.trace((key,)), "a secret belongs in a role's settings, not in vars")
        settings = merge(self._layers(name, "settings"))
        says = [link for link in self._chain(name) if "roles" in self.hosts[link].model_fields_set]
        given = Given(settings, variables, ("hosts", says[0], "roles") if says else ("hosts", name))
        checked = {
            role: check_settings(self.document, role, self.configs[role], given) for role in dict.fromkeys(roles)
        }
        return checked, variables.data
