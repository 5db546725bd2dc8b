"""From the bytes a stranger sent to values that can be trusted to be plain data.

`parse` fails only on what is not one JSON object. Everything else that is wrong with it waits for `check`, so that a
service can look at the caller's key first and tell a stranger nothing.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from runtime.encoder import encode
from runtime.fixed import fixed

Json = dict[str, Any]

MAX_DEPTH = 16
dumps = encode(ascii_only=False)
"""A value as JSON text. Raises ValueError on what is not finite."""
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
STORABLE = r"^[^\x00]*$"
"""Texts that PostgreSQL takes, for the parameters of an address."""


class NotJson(Exception):
    """The body is not one JSON object (400)."""


class Invalid(Exception):
    """A field's value cannot be used (400): `field` is its name, `reason` what was expected."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@fixed
class Parsed:
    """One JSON object, and the names that stood in it (at any depth) more than once."""

    data: Json
    repeated: tuple[str, ...]


def parse(body: bytes) -> Parsed:
    """Read one JSON object in UTF-8, whatever its Content-Type. Raises NotJson."""
    try:
        data, repeated = _decoded(str(body, "utf-8").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        raise NotJson("the body is not JSON in UTF-8") from None
    if not isinstance(data, dict):
        raise NotJson("the body is not a JSON object")
    return Parsed(data, repeated)


class _Repeated(Exception):
    """A name stands in one object more than once: it has to be read again to tell which."""


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _decoded(text: str) -> tuple[Any, tuple[str, ...]]:
    """The value, and what stood in it more than once. Raises ValueError, RecursionError."""
    try:
        if text.startswith("{"):  # nothing stands around nearly every alert; `decode` looks for it with two searches
            value, end = _DECODER.raw_decode(text)
            if end == len(text):
                return value, ()
        return _DECODER.decode(text), ()
    except _Repeated:
        repeated: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> Json:
        counts = Counter(name for name, _ in pairs)
        repeated.extend(name for name, count in counts.items() if count > 1)
        return dict(pairs)

    return json.loads(text, object_pairs_hook=collect), tuple(repeated)


def check(parsed: Parsed) -> Json:
    """The object, when every value in it is finite, storable and not absurdly nested. Raises Invalid."""
    if parsed.repeated:
        raise Invalid(parsed.repeated[0], "given more than once")
    if _plain(parsed.data) is None:
        for name, value in parsed.data.items():
            _walk(name, name, 0)
            _walk(value, name, 0)
    return parsed.data


def cleared(parsed: Parsed, *secrets: str) -> Json:
    """`redact(check(parsed), *secrets)`, by one look at nearly every alert."""
    if not parsed.repeated:
        texts = _plain(parsed.data)
        if texts is not None and not any(map(texts.__contains__, secrets)):
            return parsed.data
    data: Json = redact(check(parsed), *secrets)
    return data


def _plain(data: Json) -> str | None:
    """All names and texts of an object that is flat, finite and storable, which nearly every alert is; else None."""
    found = list(data)
    for value in data.values():
        kind = type(value)
        if kind is str:
            found.append(value)
        elif kind is dict or kind is list or (kind is float and not math.isfinite(value)):
            return None
    texts = "\n".join(found)
    strange = "\x00" in texts if texts.isascii() else _UNSAFE.search(texts)
    return None if strange else texts


def _walk(value: object, field: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Invalid(field, f"nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str) and _UNSAFE.search(value):
        raise Invalid(field, "contains a NUL or half of a surrogate pair")
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid(field, "is not a finite number")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for item in value:
            _walk(item, field, depth + 1)


def redact(value: Any, *secrets: str) -> Any:
    """`value` with every occurrence of each secret in its texts and names replaced, so that it can be written to disk.

    Secrets under 6 characters are left: replacing those would damage ordinary words. Longer ones come first.
    """
    if isinstance(value, str):
        for secret in secrets:
            if len(secret) >= 6:
                value = value.replace(secret, "[key]")
        return value
    if isinstance(value, list):
        return [redact(item, *secrets) for item in value]
    if isinstance(value, dict):
        texts = _plain(value)
        if texts is not None and not any(map(texts.__contains__, secrets)):
            return value
        return {redact(name, *secrets): redact(item, *secrets) for name, item in value.items()}
    return value


def number(data: Json, field: str, *, required: bool = False) -> float | None:
    """A finite number given as a number or as text; None when absent or null. Booleans are not numbers."""
    value = data.get(field)
    if value is None:
        if required:
            raise Invalid(field, "is missing")
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(field, "expected a number")
    return _finite(value, field)


def _finite(value: float, field: str) -> float:
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise Invalid(field, "is not a finite number")
    return result


def label(data: Json, field: str, *, limit: int = 64) -> str:
    """A required one-line name: 1 to `limit` printable characters once trimmed."""
    value = data.get(field)
    if value is None:
        raise Invalid(field, "is missing")
    if not isinstance(value, str):
        raise Invalid(field, "expected text")
    value = value.strip()
    if not 1 <= len(value) <= limit or not value.isprintable():
        raise Invalid(field, f"expected 1 to {limit} printable characters")
    return value


def choice(data: Json, field: str, allowed: tuple[str, ...]) -> str:
    """One of `allowed`, in any case; returned as written in `allowed`."""
    value = label(data, field).upper()
    if value not in allowed:
        raise Invalid(field, f"expected {' or '.join(allowed)}")
    return value


def text(data: Json, field: str) -> str:
    """Free text of any length; empty when absent or null."""
    value = data.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(field, "expected text")
    return value
