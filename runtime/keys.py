"""Secrets, and the named keys an alert may carry, as the environment says them. Standard library only."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime import clock
from runtime.secret import Secret as Secret

DEFAULT = "default"
SHORTEST = 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """One key. From the moment `expires` on it opens nothing; None: it never expires."""

    name: str
    secret: Secret
    expires: datetime | None = None


def read_keys(text: str) -> tuple[Key, ...]:
    """Keys from `{"name": {"key": "...", "expires": "2026-12-31T00:00:00+00:00" or null}, ...}`.

    Raises ValueError naming the key that is wrong, never its value.
    """
    try:
        raw = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError:
        raise ValueError("is not JSON") from None
    if not isinstance(raw, dict):
        raise ValueError('expected an object like {"name": {"key": "...", "expires": null}}')
    return tuple(_key(name, given) for name, given in raw.items())


def check_distinct(keys: tuple[Key, ...]) -> None:
    """Raises ValueError when two keys have one value: which of them an alert came with could not be told."""
    names: dict[str, str] = {}
    for key in keys:
        other = names.setdefault(key.secret.reveal(), key.name)
        if other != key.name:
            raise ValueError(f"{other} and {key.name} have the same value")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _key(name: str, given: Any) -> Key:
    if not _NAME.fullmatch(name) or name == DEFAULT:
        raise ValueError(f"{name[:40]!r} is not a name: up to 32 letters, digits, dots and dashes, and not {DEFAULT!r}")
    if not isinstance(given, dict) or not given.keys() <= {"key", "expires"}:
        raise ValueError(f'{name}: expected {{"key": "...", "expires": "..." or null}}')
    value = given.get("key")
    if not isinstance(value, str) or len(value) < SHORTEST:
        raise ValueError(f"{name}: expected a key of at least {SHORTEST} characters")
    return Key(name, Secret(value), _moment(name, given.get("expires")))


def _moment(name: str, given: Any) -> datetime | None:
    if given is None:
        return None
    try:
        return clock.from_iso(given)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expires is not a time with an offset, as 2026-12-31T00:00:00+00:00") from None
