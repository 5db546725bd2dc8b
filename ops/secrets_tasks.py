"""What `./inv secrets.*` does. Values come from a prompt or a pipe, never from the command line, where `ps` shows them.

Only `show` prints a value, and only that; everything else a person is told goes to stderr.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops import paths, secret_edit
from ops.chronicle import Writer, rotated, rotated_identity, tell
from ops.errors import SecretsError, UsageError
from ops.inventory import Host, Inventory, load
from ops.role_config import RoleConfig, SecretRef
from ops.secret_refs import SECRET_NAME
from ops.secrets import Vault, lab_vault, project_vault, vault_for
from ops.settings import walk
from ops.wording import listed, nearest
from ops.yamlpos import spell

Configs = Mapping[str, type[RoleConfig]]


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _out(text: str) -> None:
    sys.stdout.write(f"{text}\n")


@dataclass(frozen=True)
class Use:
    """A place in a host's settings that refers to a secret."""

    host: Host
    field: str
    ref: SecretRef

    def __str__(self) -> str:
        return f"{self.host.name} {self.field}"


def _inventory(configs: Configs, path: Path | None) -> Inventory:
    return load(path or paths.INVENTORY, configs)


def _uses(hosts: Mapping[str, Host]) -> Iterator[Use]:
    for host in hosts.values():
        for path, value in walk(host.settings):
            if isinstance(value, SecretRef):
                yield Use(host, spell(path), value)


def _vault(inventory: Inventory, host: str | None) -> Vault:
    return project_vault(say) if host is None else vault_for(inventory.host(host), say)


def init() -> None:
    """Make the identity, the recipients and the store; on a store that exists, encrypt it for today's recipients."""
    vault = project_vault(say)
    existed = vault.path.exists()
    vault.init()
    again = "was encrypted again for the recipients there are now" if existed else "is ready"
    say(f"{vault.path.name} {again}; next: ./inv secrets.set NAME")


def set_(name: str, host: str | None = None, *, configs: Configs, inventory: Path | None = None) -> None:
    """Keep a value, typed twice or piped in."""
    hosts = _inventory(configs, inventory)
    vault = _vault(hosts, host)
    _known_name(name)
    vault.set(name, _asked(name), host)
    say(f"kept {name}{f' for {host}' if host else ' for every host without its own'} in {vault.path.name}")
    names = {use.ref.secret or "" for use in _uses(hosts.hosts)}
    if name not in names:
        say(f"note: nothing in the inventory refers to {name}{nearest(name, names)}")
    elif host is None and (own := [scope for scope in vault.scopes(name) if scope]):
        say(f"note: {listed(own)} keep their own value; ./inv secrets.set {name} --host H changes it")


def _known_name(name: str) -> None:
    if not SECRET_NAME.fullmatch(name):
        raise UsageError(f'"{name}" cannot name a secret; use lower-case letters, digits and underscores')


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        value = sys.stdin.read()
        return value[: -len("\n")].removesuffix("\r") if value.endswith("\n") else value
    value = getpass.getpass(f"{name}: ")
    if getpass.getpass(f"{name}, again: ") != value:
        raise UsageError("the two entries differ; nothing was kept")
    return value


def show(name: str, host: str | None = None, *, configs: Configs, inventory: Path | None = None) -> None:
    """Print just the value: the one the host's roles are given under that name, or the kept one."""
    hosts = _inventory(configs, inventory)
    _out(_shown_for(name, hosts.host(host)) if host else _shown(name))


def _shown(name: str) -> str:
    vault = project_vault()
    value = vault.get(name)
    if value is None:
        own = listed(scope for scope in vault.scopes(name) if scope)
        hint = f"./inv secrets.show {name} --host H  (set for: {own})" if own != "none" else f"./inv secrets.set {name}"
        raise SecretsError(f"no secret {name} is set for every host{nearest(name, vault.names())}", hint=hint)
    return value


def _shown_for(name: str, host: Host) -> str:
    uses = list(_uses({host.name: host}))
    named = [use for use in uses if use.ref.name == name] or [u for u in uses if u.field.rsplit(".", 1)[-1] == name]
    vault = vault_for(host, say)
    if not named:
        value = vault.get(name, host.name)
    elif named[0].ref.env:
        value = os.environ.get(named[0].ref.env)
    else:
        secret = named[0].ref.name
        value = vault.get(secret, host.name) or (vault.generate(secret, host.name) if named[0].ref.generate else None)
    if not value:
        known = sorted({use.ref.name for use in uses})
        env = named[0].ref.env if named else None
        hint = f"export {env}=..." if env else f"./inv secrets.set {name} --host {host.name}"
        raise SecretsError(f"{name} is unset for {host.name}{nearest(name, set(known) - {name})}", hint=hint)
    return value


def list_(*, configs: Configs, inventory: Path | None = None) -> None:
    """Every secret: its name, where it is used, whether it is set. No values."""
    hosts = _inventory(configs, inventory)
    rows = [(use.ref.name, str(use), _state(use)) for use in _uses(hosts.hosts)]
    used = {name for name, _, _ in rows}
    rows += [(name, "-", "set, used nowhere") for name in project_vault().names() if name not in used]
    rows = [("SECRET", "USED BY", "STATE"), *sorted(rows)]
    first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
    for name, where, state in rows:
        _out(f"{name:<{first}}  {where:<{second}}  {state}")


def _state(use: Use) -> str:
    if use.ref.env:
        return f"{'set' if os.environ.get(use.ref.env) else 'UNSET'} (environment)"
    vault = vault_for(use.host)
    if vault.get(use.ref.name, use.host.name):
        return "set (own)" if use.host.name in vault.scopes(use.ref.name) else "set"
    return "made at the first deploy" if use.ref.generate else "UNSET"


def edit(host: str | None = None, *, configs: Configs, inventory: Path | None = None) -> None:
    """Open the project's secrets, or with a lab host the lab's, in $EDITOR."""
    vault = _vault(_inventory(configs, inventory), host) if host else project_vault(say)
    if not sys.stdin.isatty():
        raise UsageError("edit needs a terminal", hint="pipe a value instead: ... | ./inv secrets.set NAME")
    changed = secret_edit.edit(vault, lambda question: _yes(f"{question} [Y/n] "))
    say(f"changed: {listed(changed)}")


def _yes(question: str) -> bool:
    return input(question).strip().lower() in ("", "y", "yes", "o", "oui")


def rotate(
    name: str | None = None,
    host: str | None = None,
    value_from_stdin: bool = False,
    identity: bool = False,
    *,
    configs: Configs,
    inventory: Path | None = None,
    journal: Writer | None = None,
) -> None:
    """Give a secret a new value (made here, or piped in) wherever it is set, or this machine a new identity.

    `journal` is told of it, without any value.
    """
    if identity == (name is not None):
        raise UsageError("rotate takes a secret's NAME or --identity", hint="./inv secrets.rotate webhook_key")
    if name is None:
        made, kept = secret_edit.rotate_identity([project_vault(say), lab_vault(say)])
        say(f"new identity {made.public} in {made.source}; the old one is {kept}, needed for old versions only")
        say("next: commit secrets.age and secrets.recipients; machines that share this identity need the new file")
        if journal is not None:
            tell(journal, _inventory(configs, inventory).journal, [rotated_identity(made.public)])
        return
    hosts = _inventory(configs, inventory)
    vault = _vault(hosts, host)
    _replace(vault, name, [host] if host else vault.scopes(name), _asked(name) if value_from_stdin else None)
    _redeploy(name, vault, host, hosts)
    uses = [
        (use.host, use.field) for use in _uses(hosts.hosts) if use.ref.secret == name and host in (None, use.host.name)
    ]
    tell(journal, hosts.journal, [rotated(name, uses, hosts.host(host) if host else None)])


def _replace(vault: Vault, name: str, scopes: list[str | None], value: str | None) -> None:
    if not scopes or not vault.scopes(name):
        near = nearest(name, set(vault.names()) - {name})
        raise SecretsError(f"{name} has no value to rotate{near}", hint=f"./inv secrets.set {name}")
    for scope in scopes:
        vault.renew(name, scope, value)


def _redeploy(name: str, vault: Vault, host: str | None, inventory: Inventory) -> None:
    say(f"{name} has a new value in {vault.path.name}")
    uses = [use for use in _uses(inventory.hosts) if use.ref.secret == name and host in (None, use.host.name)]
    for use in uses:
        if vault_for(use.host).path == vault.path:
            say(f"  used by {use}: the old value works until ./inv deploy --host {use.host.name}")
