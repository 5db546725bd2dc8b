"""Every secret at once in $EDITOR, as YAML in memory-backed storage, and a new identity for this machine."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from ops.errors import SecretsError
from ops.identity import Identity, find_identity, key_text, new_key
from ops.private_file import write_private
from ops.secret_refs import SECRET_NAME
from ops.secrets import Data, Vault, check_shape, read_recipients
from ops.yamlpos import parse

MEMORY = Path("/dev/shm")  # noqa: S108 - the one directory that is never a disk
HEAD = "# Secrets, by scope. A removed line removes the secret. Nothing is kept until you save and leave.\n"
MARK = "# !! "
Run = Callable[[Sequence[str]], int]
Ask = Callable[[str], bool]


def edit(vault: Vault, ask: Ask, run: Run = subprocess.call) -> list[str]:
    """Let a person change the secrets. Returns the names that changed; nothing is lost when the YAML is wrong.

    `ask` is a yes/no question: whether to open the editor again. What another run changed meanwhile stays.
    """
    before = vault.read()
    with _in_memory(HEAD + yaml.safe_dump(before, sort_keys=False, allow_unicode=True)) as path:
        while True:
            if run([*_editor(), str(path)]) != 0:
                raise SecretsError("the editor ended with an error; nothing was changed")
            text = path.read_text(encoding="utf-8")
            after, wrong = _parsed(text)
            if after is not None:
                return _apply(vault, before, after)
            if not ask(f"{wrong}. Edit again?"):
                raise SecretsError(f"the edit was given up: {wrong}; nothing was changed")
            path.write_text(_marked(text, wrong), encoding="utf-8")


def _editor() -> list[str]:
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "sensible-editor")
    if not words or shutil.which(words[0]) is None:
        raise SecretsError(f"the editor {' '.join(words)} is not there", hint="export EDITOR=nano")
    # Vim would keep a swap file and remember yanked text in ~/.viminfo, on disk.
    return [*words, "-n", "-i", "NONE"] if Path(words[0]).name in ("vim", "nvim") else words


@contextmanager
def _in_memory(text: str) -> Iterator[Path]:
    """A file nobody else can reach, gone afterwards with whatever the editor left beside it."""
    if not MEMORY.is_dir():
        raise SecretsError(f"{MEMORY} is not there, and a secret must not be written to a disk")
    folder = Path(tempfile.mkdtemp(dir=MEMORY, prefix="secrets-"))  # 0700
    try:
        path = folder / "secrets.yaml"
        path.write_text(text, encoding="utf-8")
        yield path
    finally:
        for left in folder.rglob("*"):
            if left.is_file() and not left.is_symlink():
                left.write_bytes(b"\0" * left.stat().st_size)
        shutil.rmtree(folder, ignore_errors=True)


def _parsed(text: str) -> tuple[Data | None, str]:
    document = parse(text, "secrets.yaml")
    if document.found:
        return None, document.problems()[0]
    try:
        data = document.data
        check_shape(data)
        for scope in (data["global"], *data["hosts"].values()):
            for name in scope:
                if not SECRET_NAME.fullmatch(name):
                    raise ValueError(f'"{name}" cannot name a secret; use lower-case letters, digits and underscores')
    except ValueError as error:
        return None, str(error)
    return data, ""


def _marked(text: str, wrong: str) -> str:
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith(MARK)]
    return f"{MARK}{wrong}\n" + "".join(kept)


def _flat(data: Data) -> dict[tuple[str | None, str], str]:
    scopes = [(None, data["global"]), *data["hosts"].items()]
    return {(scope, name): value for scope, values in scopes for name, value in values.items() if value}


def _apply(vault: Vault, before: Data, after: Data) -> list[str]:
    old, new = _flat(before), _flat(after)
    changed = {key: new.get(key) for key in old | new if old.get(key) != new.get(key)}

    def how(data: Data) -> None:
        for (host, name), value in changed.items():
            scope = data["hosts"].setdefault(host, {}) if host else data["global"]
            scope.pop(name, None)
            scope.update({name: value} if value else {})

    if changed:
        vault.change(how)
    return [f"{name} ({host})" if host else name for host, name in changed]


def rotate_identity(vaults: Sequence[Vault]) -> tuple[Identity, Path]:
    """A new identity for this machine, and the stores encrypted for it. Returns it and where the old one is kept.

    The key file holds both keys while the stores change hands, so a run cut short at any moment can still read all.
    """
    old = find_identity()
    if old is None or old.file is None:
        where = "there is none yet" if old is None else f"it comes from {old.source}"
        raise SecretsError(f"only an identity kept in a file can be rotated; {where}", hint="./inv secrets.init")
    kept = _unused(old.file.with_name(f"{old.file.name}.old-{time.strftime('%Y-%m-%d')}"))
    write_private(kept, key_text(old.keys))
    fresh = new_key()
    for vault in vaults:
        vault.read()  # what cannot be read now could not be read afterwards either
    write_private(old.file, key_text([fresh, *old.keys]))
    for vault in vaults:
        _hand_over(vault, old.publics, str(fresh.to_public()))
    write_private(old.file, key_text([fresh]))
    return Identity((fresh,), str(old.file), old.file), kept


def _unused(path: Path) -> Path:
    numbered = (path.with_name(f"{path.name}.{i}") for i in range(1, 1000))
    return path if not path.exists() else next(p for p in numbered if not p.exists())


def _hand_over(vault: Vault, old: set[str], new: str) -> None:
    if vault.recipients is not None and vault.recipients.exists():
        others = [key for key in read_recipients(vault.recipients) if key not in old]
        lines = vault.recipients.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.split("#")[0].strip() in ("", *others)]
        write_private(vault.recipients, "\n".join([*kept, new, ""]).encode(), mode=0o644)
    if vault.path.exists():
        vault.init()
