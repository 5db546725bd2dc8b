"""An alert that is wrong, from a caller who knew the key: kept with the field and the reason, and without the key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime import clock, payload
from runtime.payload import Invalid, Json
from runtime.webhook import events
from runtime.webhook.book import Book
from runtime.webhook.events import Origin
from runtime.webhook.told import LONGEST_KEPT


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a caller who knew the key sent, and the field for which it is refused. Neither may hold the key."""

    data: Json
    error: Invalid
    now: datetime
    origin: Origin


def record(book: Book, refusal: Refusal) -> None:
    """Keep its field, why, and what can be shown of what was sent."""
    data, error = refusal.data, refusal.error
    row: Json = {name: _text(data.get(name)) for name in ("engine", "signal", "symbol", "tf", "reason")}
    row |= {"price": None, "tp": None, "sl": None, "field": _text(error.field), "body": _body(data)}
    found: dict[str, Any] = {"outcome": "invalid", "status": 400, "reason_text": _text(str(error), 300)}
    book.record(events.row(row, clock.iso(refusal.now), refusal.origin, **found))


def _text(value: object, limit: int = 64) -> str:
    return "".join(letter for letter in value if letter.isprintable())[:limit] if isinstance(value, str) else ""


def _body(data: Json) -> str:
    try:
        return json.dumps(data)[:LONGEST_KEPT]
    except (RecursionError, ValueError):
        return ""


def without_keys(data: Json, keys: tuple[str, ...]) -> Json:
    """The object without any key, wherever it stands; empty when it is nested too deeply to look."""
    try:
        cleaned: Json = payload.redact(data, *keys)
    except RecursionError:
        return {}
    return cleaned
