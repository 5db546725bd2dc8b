"""The newest event of each of some dedupe keys: one look into the index for each, however often a key came before."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from runtime.payload import dumps

_QUERY = """
SELECT events.dedupe_key, events.id, events.ts FROM {} AS asked
JOIN events ON events.id = (SELECT id FROM events WHERE dedupe_key = asked.value ORDER BY id DESC LIMIT 1)
"""
_BY_DIALECT = {
    "sqlite": text(_QUERY.format("json_each(:keys)")),
    "postgresql": text(_QUERY.format("json_array_elements_text(CAST(:keys AS json))")),
}


def newest(connection: Connection, keys: Collection[str]) -> dict[str, tuple[int, str]]:
    """(id, ts) by key, of the keys that were ever stored."""
    query = _BY_DIALECT[connection.dialect.name]
    return {key: (event_id, ts) for key, event_id, ts in connection.execute(query, {"keys": dumps(list(keys))})}
