"""The time column: numbers since 1970 in any unit, ISO 8601, or a clock's reading in some timezone; to ms in UTC."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from quant.arrow import to_numpy
from quant.candles import I64
from quant.errors import BadData
from quant.importing.layouts import Layout
from quant.importing.table import NOTHING, Table
from quant.importing.zones import NONE, Zone

UNITS = ((1e17, 1_000_000), (1e14, 1_000), (1e11, 1))
"""A number above this is in ns, us (Binance's spot files since 2025), ms; below in seconds, as TradingView has it."""
_OFFSET = re.compile(r"\d(Z|[+-]\d\d:?\d\d)$")
_NUMBER = re.compile(r"-?\d+(\.\d*)?")
_DAY = re.compile(r"(19|20)\d{6}")
_DATE = r"^(\d{4})[./-]?(\d{2})[./-]?(\d{2})[T ]*"
_CLOCK = r" (\d{2})(\d{2})(\d{2})$"
_HOW = "2024-03-01 14:15, 2024.03.01 14:15, 2024-03-01T14:15:00+01:00, or a number since 1970"


def of(table: Table, layout: Layout, zone: Zone) -> I64:
    """Raises BadData with the first line that is no time."""
    text = table.columns[layout.time]
    if layout.clock is not None:
        text = pc.binary_join_element_wise(text, table.columns[layout.clock], " ")
    first = text[0].as_py()
    if _NUMBER.fullmatch(first) and not _DAY.fullmatch(first):
        return _since_1970(table, text)
    aware = bool(_OFFSET.search(first))
    found = _parsed(table, text, pa.timestamp("ms", "UTC" if aware else None))
    return found if aware else _in_zone(table, found, zone)


def _since_1970(table: Table, text: Any) -> I64:
    cast = table.cast(text, lambda part: part.cast(pa.float64()), "no number since 1970")
    numbers = to_numpy(cast, np.float64)
    divisor = next((divisor for above, divisor in UNITS if abs(numbers[0]) > above), 1e-3)
    found: I64 = np.rint(numbers / divisor).astype(np.int64)
    return found


def _parsed(table: Table, text: Any, kind: Any) -> I64:
    iso = pc.replace_substring_regex(text, _DATE, r"\1-\2-\3 ")
    iso = pc.utf8_rtrim_whitespace(pc.replace_substring_regex(iso, _CLOCK, r" \1:\2:\3"))
    found = table.cast(iso, lambda part: part.cast(kind), f"no time (known: {_HOW})")
    return to_numpy(found.cast(pa.int64()), np.int64)


def _in_zone(table: Table, readings: I64, zone: Zone) -> I64:
    """A file may begin with its newest row: the clock went the other way."""
    backward = len(readings) > 1 and readings[0] > readings[-1]
    ordered = readings[::-1] if backward else readings
    utc = zone.to_utc(ordered)
    utc = utc[::-1] if backward else utc
    if (utc == NONE).any():
        row = int(np.argmax(utc == NONE))
        raise BadData(
            f"{table.name} line {table.line(row)}: no clock in {zone.name} shows that time, it is left out in spring",
            hint=f"is --timezone right? {NOTHING}",
        )
    return utc
