"""A role's settings for one host: laid over each other, checked without secrets, then filled with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from pydantic import BaseModel, SecretStr, ValidationError

from ops.errors import OpsError, SecretsError
from ops.role_config import RoleConfig, SecretRef, is_ref, takes_secret
from ops.secret_refs import read_ref
from ops.wording import explain, findings
from ops.yamlpos import Document, Where, spell

Origin = Callable[[Where], Where]


class Store(Protocol):
    """Where secrets are kept (`ops.secrets.Vault`)."""

    def get(self, name: str, host: str | None = None) -> str | None: ...

    def generate(self, name: str, host: str | None = None) -> str: ...


class HasSettings(Protocol):
    """What `resolve` needs of a host."""

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> dict[str, dict[str, Any]]: ...


@dataclass(frozen=True)
class Layer:
    """Values and the place in the file they were written."""

    data: Mapping[str, Any]
    where: Where


@dataclass
class Merged:
    """Values laid over each other, each with the place its winner was written."""

    data: dict[str, Any] = field(default_factory=dict)
    origin: dict[Where, Where] = field(default_factory=dict)

    def trace(self, path: Where) -> Where:
        """Where the value at `path`, or the nearest thing around it, was written."""
        known = path
        while known and known not in self.origin:
            known = known[:-1]
        return (*self.origin[known], *path[len(known) :]) if known else path


def merge(layers: Sequence[Layer]) -> Merged:
    """Lay mappings over each other, weakest first. Lists and secret references are replaced whole."""
    merged = Merged()
    for layer in layers:
        _overlay(merged, merged.data, layer.data, (), layer.where)
    return merged


def _overlay(merged: Merged, into: dict[str, Any], data: Mapping[str, Any], at: Where, where: Where) -> None:
    for key, value in data.items():
        here, there = (*at, key), (*where, key)
        if not isinstance(value, dict) or is_ref(value):
            into[key], merged.origin[here] = value, there
            continue
        if not isinstance(into.get(key), dict) or is_ref(into[key]):
            into[key], merged.origin[here] = {}, there
        _overlay(merged, into[key], value, here, there)


def walk(value: Any, path: Where = ()) -> Iterator[tuple[Where, Any]]:
    """Every value below, with its path: containers before what they hold."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        for i, inner in enumerate(value):
            yield from walk(inner, (*path, i))


def replaced(value: Any, by: Mapping[Where, Any], path: Where = ()) -> Any:
    """A copy with the values at the given paths exchanged."""
    if path in by:
        return by[path]
    if isinstance(value, dict):
        return {key: replaced(inner, by, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, by, (*path, i)) for i, inner in enumerate(value)]
    return value


@dataclass(frozen=True)
class Given:
    """What one host was given: settings by role, variables, and the place that gave it its roles."""

    settings: Merged
    variables: Merged
    roles_at: Where

    def values(self, role: str, config: type[RoleConfig]) -> dict[str, Any]:
        """A role's settings, and the variables that stand in for fields they leave out."""
        wanted = {key for key in config.model_fields if not takes_secret(config, (key,))}
        shared = {key: value for key, value in self.variables.data.items() if key in wanted}
        return {**shared, **self.settings.data.get(role, {})}

    def origin(self, role: str, path: Where) -> Where:
        """Where a value of `values`, or what should hold it, was written."""
        own = self.settings.data.get(role)
        if path and path[0] in self.variables.data and path[0] not in (own or {}):
            return self.variables.trace(path)
        return self.roles_at if own is None else self.settings.trace((role, *path))


def check_settings(document: Document, role: str, config: type[RoleConfig], given: Given) -> dict[str, Any]:
    """One role's settings with SecretRefs in place. Reports all problems; needs no secret."""
    values = given.values(role, config)
    origin = partial(given.origin, role)
    refs = _references(document, config, values, origin)
    stand_ins = {path: SecretStr(f"stand-in {spell(path)}") for path in refs}
    _validate(document, config, replaced(values, stand_ins), origin, set(refs), f"{role}.")
    return {key: replaced(values[key], refs, (key,)) for key in values}


def _references(document: Document, config: type[RoleConfig], values: Any, origin: Origin) -> dict[Where, SecretRef]:
    refs = {}
    for path, value in walk(values):
        if value is None or not takes_secret(config, path) or not path:
            continue
        where = origin(path)
        ref, wrong = read_ref(str(path[-1]), value, spell(where), document.line(where))
        refs[path] = ref
        if wrong:
            document.report((*where, *wrong.at), wrong.text)
    return refs


def _validate(
    document: Document, config: type[RoleConfig], values: Any, origin: Origin, refs: set[Where], role: str
) -> None:
    try:
        config.model_validate(values)
    except ValidationError as error:
        details = findings(error)
    else:
        return
    for detail in details:
        loc = detail["loc"]
        if detail["type"] == "missing":
            text = _missing(config, role, loc)
            document.report(origin(loc[:-1]), text)
        elif not any(loc[: len(ref)] == ref for ref in refs):
            document.report(origin(loc), _plain(config, detail))


def _missing(config: type[RoleConfig], role: str, loc: Where) -> str:
    name = str(loc[-1])
    if takes_secret(config, loc):
        ref = f"{name}: {{secret: {name}}}"
        return f"{role}{spell(loc)} is missing; it is a secret: write {ref} and run ./inv secrets.set {name}"
    return f"{role}{spell(loc)} is missing; it has no default, so write it under settings.{role.rstrip('.')}"


def _plain(config: type[RoleConfig], detail: Any) -> str:
    if is_ref(detail["input"]) and detail["type"] != "extra_forbidden":
        return f"{detail['loc'][-1]} is not a secret; write its value here"
    return explain(detail, config)


def resolve(
    host: HasSettings,
    configs: Mapping[str, type[RoleConfig]],
    vault: Store,
    *,
    env: Mapping[str, str] | None = None,
) -> dict[str, RoleConfig]:
    """Every role's Config with its secrets, after `load` accepted the host.

    Raises one SecretsError for all secrets that are unset, with the commands that set them, and one for all values a
    Config refuses, never quoting them. `generate: true` makes what is missing, once nothing else is.
    """
    environ = os.environ if env is None else env
    refs = {(r, *p): v for r, data in host.settings.items() for p, v in walk(data) if isinstance(v, SecretRef)}
    values = {path: _value(ref, host.name, vault, environ) for path, ref in refs.items()}
    unset = [_unset(refs[path], host.name) for path, value in values.items() if not value and not refs[path].generate]
    if unset:
        count = f"{len(unset)} secrets are" if len(unset) > 1 else "a secret is"
        raise SecretsError(f"{count} unset for {host.name}:\n" + "\n".join(unset))
    secrets = {path: value or vault.generate(refs[path].name, host.name) for path, value in values.items()}
    return _configured(host, configs, refs, secrets)


def _value(ref: SecretRef, host: str, vault: Store, env: Mapping[str, str]) -> str | None:
    return vault.get(ref.secret, host) if ref.secret else env.get(ref.name)


def _unset(ref: SecretRef, host: str) -> str:
    if ref.secret:
        return f"{ref.path}: secret {ref.secret} is unset; run ./inv secrets.set {ref.secret} --host {host}"
    return f"{ref.path}: environment variable {ref.env} is unset or empty; run export {ref.env}=..."


def _configured(
    host: HasSettings, configs: Mapping[str, type[RoleConfig]], refs: Mapping[Where, SecretRef], secrets: Any
) -> dict[str, RoleConfig]:
    filled = replaced(host.settings, {path: SecretStr(value) for path, value in secrets.items()})
    done, refused = {}, []
    for role, data in filled.items():
        try:
            done[role] = configs[role].model_validate(data)
        except ValidationError as error:
            details = findings(error)
            refused += [_refused(host, role, detail, refs, configs[role]) for detail in details]
    if refused:
        text = "\n".join(refused)
        for path, value in secrets.items():  # a Config's own validator may have quoted its input
            text = text.replace(value, f"‹secret:{refs[path].name}›")
        raise SecretsError(f"settings of {host.name} are refused:\n{text}")
    return done


def _refused(host: HasSettings, role: str, detail: Any, refs: Mapping[Where, SecretRef], config: Any) -> str:
    ref = refs.get((role, *detail["loc"]))
    what = explain(detail, config, show=False)
    if ref is None:
        return f"hosts.{host.name}.settings.{spell((role, *detail['loc']))}: {what}"
    fix = f"run ./inv secrets.set {ref.secret} --host {host.name}" if ref.secret else f"export another {ref.env}"
    return f"{ref.path} ({ref.name}): {what}; {fix}"


def secret_values(host: HasSettings, resolved: Mapping[str, BaseModel]) -> dict[str, str]:
    """Name -> value of every secret a host's roles were given, as the Redactor wants them."""
    found: dict[str, str] = {}
    for role, config in resolved.items():
        names = {path: ref.name for path, ref in walk(host.settings.get(role, {})) if isinstance(ref, SecretRef)}
        for path, value in walk(config.model_dump()):
            if isinstance(value, SecretStr):
                found[names.get(path, spell((role, *path)))] = value.get_secret_value()
    return found


def from_environment(name: str) -> str:
    """The value of a variable that a person named on the command line. OpsError when there is none."""
    value = os.environ.get(name, "")
    if not value:
        raise OpsError(f"the environment variable {name} is unset or empty", hint=f"read -rs {name} && export {name}")
    return value
