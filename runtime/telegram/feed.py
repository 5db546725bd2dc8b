"""Reads what waits in the store, after a position, as items. Only the columns that are told, never the payloads."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from runtime.store.tables import controls, events, health, resets, trades
from runtime.telegram.compose import Position, merged
from runtime.telegram.news import Item, Row, Source, Teller, kind_of_control, kind_of_event
from runtime.telegram.progress import TABLES, Ref

BATCH = 1000

log = logging.getLogger("runtime.telegram")

_NAMES = ("id", "ts", "engine", "signal", "symbol", "tf", "price", "tp", "sl", "reason", "outcome", "status")
_EVENTS = select(*(events.c[name] for name in (*_NAMES, "reason_text", "event_type", "qty", "risk_usd", "guards")))
_ROWS: dict[Source, Select[Any]] = {
    "events": _EVENTS,
    "controls": select(controls),
    "resets": select(resets),
    "health": select(health),
}
_ENDED = select(
    *(trades.c[name] for name in ("engine", "symbol", "side", "entry", "exit", "pnl", "r", "closed_why", "closed_by"))
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Wanted items by time; `end` is where the cursor stands once they, and the unwanted ones between, are done."""

    items: list[Item]
    end: Position


class Feed:
    """Makes items of what `kinds` says."""

    def __init__(self, teller: Teller, kinds: frozenset[str]) -> None:
        self._teller = teller
        self._kinds = kinds

    def waiting(self, connection: Connection, position: Position, sources: Iterable[Source]) -> Batch:
        """At most BATCH rows of each of these sources after `position`."""
        streams, end = [], dict(position)
        for source in sources:
            table = TABLES[source]
            query = _ROWS[source].where(table.c.id > position[source]).order_by(table.c.id).limit(BATCH)
            rows = [row._asdict() for row in connection.execute(query)]
            streams.append(self._items(connection, source, [row for row in rows if self._is_wanted(source, row)]))
            end[source] = max([position[source], *(row["id"] for row in rows)])
        return Batch(merged(streams), end)

    def again(self, connection: Connection, refs: Sequence[Ref]) -> list[Item]:
        """The items of these rows, whatever their kind; a row that is gone gives none."""
        streams = []
        for source, table in TABLES.items():
            ids = [ref.id for ref in refs if ref.source == source]
            rows = connection.execute(_ROWS[source].where(table.c.id.in_(ids)).order_by(table.c.id)) if ids else ()
            streams.append(self._items(connection, source, [row._asdict() for row in rows]))
        return merged(streams)

    def _is_wanted(self, source: Source, row: Row) -> bool:
        if source == "events":
            return kind_of_event(row) in self._kinds
        if source == "health":
            return "health" in self._kinds
        return "reset" in self._kinds if source == "resets" else kind_of_control(row) in self._kinds

    def _items(self, connection: Connection, source: Source, rows: Sequence[Row]) -> list[Item]:
        if source == "health":
            return [_safely(source, row, self._teller.health) for row in rows]
        if source == "resets":
            return [_safely(source, row, self._teller.reset) for row in rows]
        if source == "controls":
            return [_safely(source, row, self._teller.control) for row in rows]
        closed = _closed(connection, [row["id"] for row in rows if row["outcome"] in ("closed", "opened")])
        return [_safely(source, row, lambda one: self._teller.event(one, closed.get(one["id"], ()))) for row in rows]


def _safely(source: Source, row: Row, tell: Callable[[Row], Item]) -> Item:
    """A row that cannot be put into words is told by its number: it must not hold up what comes after it."""
    try:
        return tell(row)
    except Exception:
        log.exception("row %d of %s cannot be told", row["id"], source)
        return Item(source, row["id"], str(row["ts"]), "ignored", f"⚠️ {source} {row['id']}")


def _closed(connection: Connection, ids: Iterable[int]) -> dict[int, list[Row]]:
    """The trades that each of these events ended."""
    found: dict[int, list[Row]] = defaultdict(list)
    if wanted := list(ids):
        for row in connection.execute(_ENDED.where(trades.c.closed_by.in_(wanted)).order_by(trades.c.opened_by)):
            found[row.closed_by].append(row._asdict())
    return found
