"""Secrets, kept encrypted with age in the project and readable by the machines listed in secrets.recipients.

Inside is one JSON document: {"version": 1, "global": {name: value}, "hosts": {host: {name: value}}}. A host's own value
is preferred to the global one. The decrypted text lives in memory only. A lab's secrets have a store of their own, made
and thrown away with the lab.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from ops import paths
from ops.errors import SecretsError
from ops.identity import (
    KEY,
    KEY_FILE,
    DecryptError,
    Identity,
    create_identity,
    default_file,
    encrypt,
    find_identity,
    recipient,
)
from ops.private_file import locked, write_private
from ops.secret_refs import SECRET_NAME

Say = Callable[[str], None]
Data = dict[str, Any]


def quiet(_: str) -> None:
    """Says nothing."""


class HasLab(Protocol):
    @property
    def lab(self) -> bool: ...


def project_vault(say: Say = quiet) -> Vault:
    return Vault(paths.SECRETS, paths.RECIPIENTS, say=say)


def lab_vault(say: Say = quiet) -> Vault:
    """Encrypted for this machine alone, and never part of the project."""
    return Vault(paths.LAB / "secrets.age", None, say=say)


def vault_for(host: HasLab, say: Say = quiet) -> Vault:
    """The store a host's secrets are in."""
    return lab_vault(say) if host.lab else project_vault(say)


class Vault:
    """One encrypted file. Reading needs this machine's identity; the first secret kept makes what is missing.

    `recipients` is None for a store that only this machine reads. `say` is told what was made on the way.
    """

    def __init__(self, path: Path, recipients: Path | None, identity: Identity | None = None, say: Say = quiet) -> None:
        self.path, self.recipients, self.say = path, recipients, say
        self._given = identity
        self._seen: tuple[tuple[int, int, int], Data] | None = None

    @classmethod
    def open(
        cls, path: Path, recipients: Path | None = None, identity: Identity | None = None, say: Say = quiet
    ) -> Vault:
        return cls(path, recipients, identity, say)

    def get(self, name: str, host: str | None = None) -> str | None:
        """The host's value, else the global one, else None."""
        data = self.read()
        value = data["hosts"].get(host or "", {}).get(name) or data["global"].get(name)
        return str(value) if value else None

    def scopes(self, name: str) -> list[str | None]:
        """Where a secret has a value: None for the global one, then the hosts that have their own."""
        data = self.read()
        return [None] * bool(data["global"].get(name)) + [h for h, own in data["hosts"].items() if own.get(name)]

    def names(self) -> list[str]:
        data = self.read()
        return sorted({*data["global"], *(name for own in data["hosts"].values() for name in own)})

    def set(self, name: str, value: str, host: str | None = None) -> None:
        """Keep a value. Raises SecretsError for a name or a value that cannot be one."""
        check_secret(name, value)
        self.change(lambda data: _scope(data, host).update({name: value}))

    def generate(self, name: str, host: str | None = None) -> str:
        """The value there is, or a new random one (32 bytes), kept before it is used."""
        fresh = secrets.token_urlsafe(32)

        def once(data: Data) -> None:
            if not (data["hosts"].get(host or "", {}).get(name) or data["global"].get(name)):
                check_secret(name, fresh)
                _scope(data, host)[name] = fresh
                self.say(f"made secret {name}{f' for {host}' if host else ''}")

        data = self.change(once)
        return str(data["hosts"].get(host or "", {}).get(name) or data["global"][name])

    def renew(self, name: str, host: str | None = None, value: str | None = None) -> None:
        """Exchange a value for another, random unless given."""
        self.set(name, secrets.token_urlsafe(32) if value is None else value, host)

    def forget(self, hosts: Iterable[str]) -> None:
        """Drop everything that is kept for these hosts alone."""

        def drop(data: Data) -> None:
            for host in hosts:
                data["hosts"].pop(host, None)

        if self.path.exists():
            self.change(drop)

    def change(self, how: Callable[[Data], None]) -> Data:
        """Read, change and write as one step no other run can come between."""
        with locked(self.path.parent):
            self._seen = None
            before = self.read()
            after: Data = json.loads(json.dumps(before))
            how(after)
            if after != before or not self.path.exists():
                self._write(after)
            return after

    def init(self) -> None:
        """Make the identity, the recipients and the store, or encrypt the store for the recipients there are now."""
        with locked(self.path.parent):
            self._seen = None
            self._write(self.read())

    def read(self) -> Data:
        """Everything, decrypted. Raises SecretsError when this machine cannot read it or it is damaged."""
        try:
            info = self.path.stat()
        except FileNotFoundError:
            return {"version": 1, "global": {}, "hosts": {}}
        seen = (info.st_ino, info.st_size, info.st_mtime_ns)
        if self._seen is None or self._seen[0] != seen:
            self._seen = (seen, self._decrypted(self._identity()))
        return self._seen[1]

    def _decrypted(self, identity: Identity) -> Data:
        try:
            data = json.loads(identity.decrypt(self.path.read_bytes()))
            check_shape(data)
        except DecryptError as error:
            if "No matching keys" in str(error):
                raise self._stranger(identity) from None
            raise self._damaged(str(error)) from None
        except ValueError as error:  # the text itself is left out: it is what must not be shown
            raise self._damaged(type(error).__name__) from None
        return dict(data)

    def _identity(self) -> Identity:
        found = self._given or find_identity()
        if found is None:
            raise SecretsError(
                f"{self.path} is there, but this machine has no age identity to read it with "
                f"(looked in {KEY}, {KEY_FILE} and {default_file()})",
                hint=f"copy it from the machine that has one: scp OTHER:.config/trading-ops/age.key {default_file()}"
                if self.recipients
                else f"rm {self.path}; a lab's secrets are made again",
            )
        return found

    def _stranger(self, identity: Identity) -> SecretsError:
        what = f"{self.path} is not encrypted for this machine's identity {identity.public} ({identity.source})"
        if self.recipients is None:
            return SecretsError(what, hint=f"rm {self.path}; a lab's secrets are made again")
        line = f"echo {identity.public} >> {self.recipients.name} && ./inv secrets.init"
        return SecretsError(what, hint=f"on a machine that can read it: {line}; then bring both files here")

    def _damaged(self, why: str) -> SecretsError:
        hint = f"git checkout -- {self.path.name}" if self.recipients else f"rm {self.path}; it is made again"
        return SecretsError(f"{self.path} is damaged: {' '.join(why.split())}", hint=hint)

    def _write(self, data: Data) -> None:
        if self._given is None and not self.path.exists() and find_identity() is None:
            made = create_identity(default_file())
            self.say(f"made this machine's age identity {made.file}; keep a copy, without it the secrets are lost")
        publics = self._publics(self._identity())
        write_private(self.path, encrypt(json.dumps(data, indent=1, sort_keys=True).encode(), publics))
        self._seen = None

    def _publics(self, identity: Identity) -> list[str]:
        """Who can read: the recipients, among them always ourselves."""
        if self.recipients is None:
            return [identity.public]
        publics = read_recipients(self.recipients)
        if identity.publics & set(publics):
            return publics
        if self.path.exists():
            raise SecretsError(
                f"{self.recipients} does not list this machine's key, so it could not read what it writes",
                hint=f"echo {identity.public} >> {self.recipients}",
            )
        text = self.recipients.read_text(encoding="utf-8") if publics else "# who can read secrets.age, a key a line\n"
        write_private(self.recipients, f"{text.rstrip()}\n{identity.public}\n".encode(), mode=0o644)
        self.say(f"added this machine's key to {self.recipients.name}")
        return [*publics, identity.public]


def read_recipients(path: Path) -> list[str]:
    """The public keys in a recipients file. Raises SecretsError with the line that is none."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    keys = {number: line.split("#")[0].strip() for number, line in enumerate(lines, 1)}
    for number, key in keys.items():
        try:
            recipient(key) if key else None
        except SecretsError as error:
            raise SecretsError(f"{path.name}:{number}: {error.message}", hint="correct or remove the line") from None
    return [key for key in keys.values() if key]


def _scope(data: Data, host: str | None) -> dict[str, str]:
    scope: dict[str, str] = data["hosts"].setdefault(host, {}) if host else data["global"]
    return scope


def check_secret(name: str, value: str) -> None:
    """Raises SecretsError for a name or value that cannot be kept."""
    if not SECRET_NAME.fullmatch(name):
        raise SecretsError(f'"{name}" cannot name a secret; use lower-case letters, digits and underscores')
    if not value or "\0" in value:
        raise SecretsError(f"the value of {name} is empty or holds a NUL; nothing was kept")


def check_shape(data: Any) -> None:
    """Raises ValueError unless `data` is a store's content."""
    if not isinstance(data, dict) or data.keys() != {"version", "global", "hosts"} or data["version"] != 1:
        raise ValueError("it must hold version: 1, global: and hosts: only")
    if not isinstance(data["global"], dict) or not isinstance(data["hosts"], dict):
        raise ValueError("global and hosts are mappings")
    for scope, values in (("global", data["global"]), *data["hosts"].items()):
        if not isinstance(values, dict):
            raise ValueError(f"{scope} must be a mapping of names to values")
        for name, value in values.items():
            if not isinstance(value, str) or not isinstance(name, str):
                raise ValueError(f'the value of {name} ({scope}) is not text; put it in "quotes"')
