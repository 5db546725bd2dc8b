"""This machine's age identity: the private key that reads the project's secrets.

Looked for in TRADING_OPS_AGE_KEY (the key itself), TRADING_OPS_AGE_KEY_FILE, ~/.config/trading-ops/age.key.
The file is an age key file (https://age-encryption.org/v1): one `AGE-SECRET-KEY-1...` a line, `#` comments.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]

from ops.errors import SecretsError
from ops.private_file import sync_directory, write_private

KEY = "TRADING_OPS_AGE_KEY"
KEY_FILE = "TRADING_OPS_AGE_KEY_FILE"


@dataclass(frozen=True)
class Identity:
    """One or more private keys (two only while one replaces the other), and where they came from."""

    keys: tuple[Any, ...]
    source: str
    file: Path | None = None

    @property
    def public(self) -> str:
        """What others encrypt to; the first key's."""
        return str(self.keys[0].to_public())

    @property
    def publics(self) -> set[str]:
        return {str(key.to_public()) for key in self.keys}

    def decrypt(self, content: bytes) -> bytes:
        """Raises pyrage.DecryptError."""
        return bytes(pyrage.decrypt(content, list(self.keys)))


def default_file(env: Mapping[str, str] | None = None) -> Path:
    """The file an identity is read from and made in."""
    named = (os.environ if env is None else env).get(KEY_FILE)
    return Path(named).expanduser() if named else Path("~/.config/trading-ops/age.key").expanduser()


def find_identity(env: Mapping[str, str] | None = None) -> Identity | None:
    """The identity of this machine, or None. Raises SecretsError when it is malformed or others can read it."""
    given = (os.environ if env is None else env).get(KEY)
    if given:
        return Identity(_parse(given, KEY), KEY)
    path = default_file(env)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_IMODE(mode) & 0o077:
        raise SecretsError(
            f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}), so it is not used",
            hint=f"chmod 600 {path}",
        )
    return Identity(_parse(path.read_text(encoding="utf-8"), str(path)), str(path), path)


def _parse(text: str, source: str) -> tuple[Any, ...]:
    lines = [line.strip() for line in text.splitlines()]
    try:
        keys = tuple(pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#"))
    except pyrage.IdentityError:
        keys = ()
    if not keys:  # never quote the line: it may be a key with a character missing
        raise SecretsError(
            f"{source} holds no age identity (a line AGE-SECRET-KEY-1...)",
            hint="copy the file again from the machine that has it",
        )
    return keys


def new_key() -> Any:
    return pyrage.x25519.Identity.generate()


def key_text(keys: Iterable[Any]) -> bytes:
    made = time.strftime("%Y-%m-%d")
    return "".join(f"# made {made}, public key: {key.to_public()}\n{key}\n" for key in keys).encode()


def create_identity(path: Path) -> Identity:
    """Make an identity in a file that does not exist. When another process was first, its identity is taken."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".age-") as draft:
        whole = Path(draft) / "key"
        write_private(whole, key_text([new_key()]))
        with contextlib.suppress(FileExistsError):  # a link, because it is never seen half-written
            path.hardlink_to(whole)
    sync_directory(path.parent)
    found = find_identity({KEY_FILE: str(path)})
    if found is None:
        raise SecretsError(f"{path} vanished while it was being made", hint="./inv secrets.init")
    return found


def recipient(line: str) -> Any:
    """A public key as pyrage takes it: age1... or an SSH key. Raises SecretsError."""
    kind = pyrage.ssh if line.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(line)
    except pyrage.RecipientError:
        raise SecretsError(f'"{line[:24]}..." is not a public key (age1... or ssh-ed25519 ...)') from None


def encrypt(content: bytes, publics: Iterable[str]) -> bytes:
    """Armored, so that git shows it as text."""
    return bytes(pyrage.encrypt(content, [recipient(line) for line in publics], armored=True))


DecryptError: type[Exception] = pyrage.DecryptError
