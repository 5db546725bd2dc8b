"""Clock readings of some place, to UTC: what a broker's server wrote, with the two hours a year that are not plain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from quant.candles import I64
from quant.errors import UsageError
from quant.timeframe import UNITS
from quant.times import EPOCH, MS

DAY = UNITS["d"]
NONE = np.iinfo(np.int64).min
"""For readings that no clock ever shows: the hour left out in spring."""


@dataclass(frozen=True, slots=True)
class Zone:
    """The clocks of `place`, set `shift` ms ahead: brokers keep New York's changes of the clock, seven hours ahead."""

    name: str
    place: ZoneInfo
    shift: int = 0

    @classmethod
    def of(cls, text: str) -> Zone:
        """Of `Europe/Paris`, `UTC+3`, `+02:00`, `America/New_York+7`. Raises UsageError."""
        found = re.fullmatch(r"(.*?)([+-])(\d{1,2})(?::([0-5]\d))?", text)
        if place := _place(text):
            return cls(text, place)
        if found and (place := _place(found[1] or "UTC")):
            minutes = int(found[3]) * 60 + int(found[4] or 0)
            return cls(text, place, minutes * UNITS["m"] * (-1 if found[2] == "-" else 1))
        hint = "UTC, Europe/Paris, UTC+3, or for a broker whose day ends with New York's: America/New_York+7"
        raise UsageError(f"{text!r} is no timezone", hint=hint)

    def to_utc(self, readings: I64) -> I64:
        """ms in UTC of clock readings (ms since 1970 as if they were UTC), in the order the clock showed them: the
        second time an hour comes in autumn it is the later one. NONE where no clock shows that."""
        local = readings - self.shift
        days, where = np.unique(local // DAY, return_inverse=True)
        begins = np.array([self._offset(int(day) * DAY) for day in days], np.int64)
        ends = np.array([self._offset(int(day + 1) * DAY) for day in days], np.int64)
        utc: I64 = local - begins[where]
        seen: set[int] = set()
        for row in np.flatnonzero((begins != ends)[where]).tolist():
            utc[row] = self._one(int(local[row]), seen)
        return utc

    def _one(self, local: int, seen: set[int]) -> int:
        """On a day when the clocks change."""
        earlier, later = local - self._offset(local, 0), local - self._offset(local, 1)
        if earlier > later:
            return NONE
        first = local not in seen
        seen.add(local)
        return earlier if first else later

    def _offset(self, local: int, fold: int = 0) -> int:
        moment = (EPOCH + local * MS).replace(tzinfo=self.place, fold=fold)
        return _ms(moment)


def _ms(moment: datetime) -> int:
    offset = moment.utcoffset()
    return offset // MS if offset else 0


def _place(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
