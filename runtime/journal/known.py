"""Secrets that services here are given: from the environment, and from env files beside the log book."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SECRET = re.compile(r"(?:^|_)(?:KEYS?|TOKEN|SECRET|PASSWORD|PASSWD|PASS|URL)$")
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*?)\s*$", re.MULTILINE)
SHORTEST = 8


def values(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Name -> value, for runtime.journal.masking. Files that cannot be read are passed over."""
    found = dict(_secret(environ))
    for path in (folder / ".env", *sorted((folder / ".env.d").glob("*.env"))):
        with suppress(OSError):
            found |= dict(_secret(_read(path.read_text(errors="replace"))))
    return found


def _read(text: str) -> dict[str, str]:
    return {name: re.sub(r"\\(.)", r"\1", value.strip("\"'")) for name, value in _LINE.findall(text)}


def _secret(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if not _SECRET.search(name):
            continue
        for number, part in enumerate(_parts(name, value)):
            if len(part) >= SHORTEST and not part.startswith(("/", "http://", "https://")):
                yield f"{name}:{number}" if number else name, part


def _parts(name: str, value: str) -> list[str]:
    """The secrets within: a URL's password, the keys of an object of named keys."""
    if name.endswith("URL"):
        with suppress(ValueError):
            password = urlsplit(value).password
            return [password, unquote(password)] if password else []
        return []
    if value.lstrip().startswith("{"):
        with suppress(ValueError, AttributeError, KeyError, TypeError):
            return [str(key["key"]) for key in json.loads(value).values()]
    return [value]
