"""Which column is what: by its name, or in files without names by how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quant.errors import BadData
from quant.importing.table import NOTHING, Table

NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("open_time", "open time", "unix", "timestamp", "time", "datetime", "date"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
    "ticks": ("tickvol", "tick_volume", "tick volume"),
}
"""The first of these that stands in the header."""
FIELDS = ("time", "open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Layout:
    """Numbers of columns. `clock`: the time of day, where `time` is a date alone; `ticks`: MetaTrader's count of price
    changes, what FX has instead of a volume."""

    program: str
    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None = None
    clock: int | None = None
    ticks: int | None = None


WITHOUT_NAMES = {
    5: Layout("CSV", 0, 1, 2, 3, 4),
    6: Layout("CSV", 0, 1, 2, 3, 4, 5),
    7: Layout("MetaTrader 4", 0, 2, 3, 4, 5, 6, clock=1),
    11: Layout("Binance", 0, 1, 2, 3, 4, 5),
    12: Layout("Binance", 0, 1, 2, 3, 4, 5),
}
"""By the number of columns."""


def of(table: Table) -> Layout:
    """Raises BadData that tells which columns are missing."""
    if not table.header:
        return _without_names(table)
    found = {field: place for field, names in NAMES.items() if (place := _place(table.header, names)) is not None}
    missing = [field for field in FIELDS if field not in found]
    if missing:
        raise BadData(
            f"{table.name} has no column {', '.join(missing)}; it has {', '.join(table.header)}", hint=_EXPECTED
        )
    if "date" in table.header and "time" in table.header:
        found |= {"time": table.header.index("date"), "clock": table.header.index("time")}
    return Layout(_program(table.header), **found)


def _without_names(table: Table) -> Layout:
    found = WITHOUT_NAMES.get(len(table.columns))
    if not found:
        raise BadData(f"{table.name} has no header, and {len(table.columns)} columns", hint=_EXPECTED)
    return found


def _place(header: tuple[str, ...], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _program(header: tuple[str, ...]) -> str:
    if "tickvol" in header or ("date" in header and "time" in header):
        return "MetaTrader"
    return "Binance" if "open_time" in header else "CSV"


_EXPECTED = f"expected time, open, high, low, close, volume, by name or in this order; {NOTHING}"
