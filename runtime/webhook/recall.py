"""Looking up many names at once: one look into an index for each, in statements that are made once."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from runtime.payload import dumps
from runtime.store.ready import Query
from runtime.webhook.routing import COLUMNS, Kept, kept

_GIVEN = {"sqlite": "json_each(:given)", "postgresql": "json_array_elements_text(CAST(:given AS json))"}
_NEWEST = """
SELECT events.dedupe_key, events.id, events.ts FROM {given} AS asked
JOIN events ON events.id = (SELECT id FROM events WHERE dedupe_key = asked.value ORDER BY id DESC LIMIT 1)
"""
# OR would read all trades, however many there ever were.
_NAMED = """
SELECT {columns} FROM trades WHERE trade_id IN (SELECT value FROM {given} AS asked)
UNION ALL
SELECT {columns} FROM trades WHERE closed_by IS NULL AND alias IN (SELECT value FROM {given} AS asked)
"""
_newest = Query(**{dialect: text(_NEWEST.format(given=given)) for dialect, given in _GIVEN.items()})
_named = Query(
    **{dialect: text(_NAMED.format(columns=", ".join(COLUMNS), given=given)) for dialect, given in _GIVEN.items()}
)


def newest(connection: Connection, keys: Collection[str]) -> dict[str, tuple[int, str]]:
    """(id, ts) of the newest event by dedupe key, of the keys that were ever stored, however often."""
    return {key: (event_id, ts) for key, event_id, ts in _newest(connection, given=dumps(list(keys)))}


def named(connection: Connection, names: Collection[str]) -> list[Kept]:
    """Trades, open or closed, with one of the names as their id, or open by that alias; with both, twice."""
    return [kept(row) for row in _named(connection, given=dumps(list(names)))]
