"""Moments as candles keep them, int64 milliseconds since 1970 in UTC, and as people write and read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def milliseconds(moment: datetime | date | int) -> int:
    """Of a moment (UTC unless it says otherwise), or of a day's midnight in UTC; a number is taken as it is."""
    if not isinstance(moment, date):
        return int(moment)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // MS


def shown(ms: int) -> str:
    """`2024-03-01 14:15` in UTC; seconds only where there are some; beyond the calendar the number itself."""
    try:
        moment = EPOCH + ms * MS
    except OverflowError:
        return f"{ms} ms"
    return moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


def iso(ms: int) -> str:
    """`2024-03-01T14:15:00Z`: for programs. Raises OverflowError beyond the calendar."""
    return (EPOCH + ms * MS).strftime("%Y-%m-%dT%H:%M:%SZ")
