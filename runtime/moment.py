"""Moments as callers write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from runtime import clock, payload
from runtime.payload import Invalid, Json

# Senders' clocks differ, and a daily bar may be stamped with its end; what is further ahead is a mistake.
AHEAD = timedelta(days=1)
_MILLISECONDS = 1e11  # an epoch above this (year 5138 in seconds) is in milliseconds


def read(data: Json, name: str) -> datetime | None:
    """ISO 8601 with an offset (or Z), or an epoch in seconds or milliseconds; None when absent. Raises Invalid."""
    value = data.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, str) and not _is_number(value):
            return clock.from_iso(value.strip())
        seconds = payload.number(data, name) or math.nan
        return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        reason = "expected ISO 8601 with an offset, or an epoch in seconds or milliseconds"
        raise Invalid(name, reason) from None


def of_event(data: Json, received: datetime) -> datetime:
    """The event's `ts`, or `received` when it has none. Raises Invalid, also when it is over a day ahead."""
    found = read(data, "ts") or received
    if found - received > AHEAD:
        raise Invalid("ts", f"{clock.iso(found)} is more than a day ahead of this machine's clock")
    return found


def _is_number(text: str) -> bool:
    """An epoch as text has ten digits or more; `20260215` is a date, and one without an offset says no moment."""
    return len(text.strip()) >= 10 and text.strip().replace(".", "", 1).isdecimal()
