"""How symbols and sources are spelled in paths: readable, and no two alike."""

from __future__ import annotations

import re

_PLAIN = {"/": "-", ":": "_"}


def safe(name: str) -> str:
    """`BTC/USDT:USDT` as `BTC-USDT_USDT`; what could be mistaken or lead elsewhere as ~ and its two hex digits."""
    return re.sub(r"^\.|[^A-Za-z0-9.]", lambda found: _PLAIN.get(found[0]) or _escaped(found[0]), name)


def _escaped(character: str) -> str:
    return "".join(f"~{byte:02x}" for byte in character.encode())
