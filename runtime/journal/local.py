"""The log book's own time: local, to the minute, without an offset."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runtime import clock
from runtime.journal.book import ZONE, BookError


def zone() -> tzinfo:
    """Raises BookError when this machine has no time zone data."""
    for name in (ZONE, "America/Toronto"):  # Debian 13 moved the old name, a link, to tzdata-legacy
        try:
            return ZoneInfo(name)
        except ZoneInfoNotFoundError:
            continue
    raise BookError(f"this machine does not know the time zone {ZONE}", "as root: apt-get install tzdata")


def order_zone() -> tzinfo:
    """The same to compare times by: without time zone data, UTC, which has no hour twice."""
    try:
        return zone()
    except BookError:
        return UTC


def heading_time() -> str:
    """This moment as a heading has it."""
    return clock.now().astimezone(zone()).strftime("%Y-%m-%d %H:%M")


def earlier(moment: datetime, than: datetime, where: tzinfo) -> bool:
    """Whether `moment` was before `than` for certain: in the hour that autumn repeats, either may be meant."""
    latest = moment.replace(tzinfo=where, fold=1)
    return latest.timestamp() < than.replace(tzinfo=where, fold=0).timestamp()
