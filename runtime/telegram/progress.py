"""What the store remembers of this sink: how far it got, why it fails, what was refused, which commands were obeyed.

The row `telegram` of the outbox counts events in `delivered`; its `intent` holds, as JSON, the cursors into the other
tables and the newest updates that changed something. Functions that write run in a transaction of the store's writer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, delete, exists, func, insert, select, update

from runtime import clock
from runtime.outbox import deadletters, failures
from runtime.store.tables import controls, dead_letters, events, health, outbox, resets
from runtime.telegram.compose import Position
from runtime.telegram.news import Source

SINK = "telegram"
SINKS: Mapping[Source, str] = {
    "events": SINK,
    "controls": "telegram.controls",
    "resets": "telegram.resets",
    "health": "telegram.health",
}
"""Under which name a refused row of each source stands in `dead_letters`; its `ref` is the row's id."""
TABLES: Mapping[Source, Table] = {"events": events, "controls": controls, "resets": resets, "health": health}
REMEMBERED = 50

_MINE = outbox.c.sink == SINK
_NEWEST = select(*(select(func.max(table.c.id)).scalar_subquery().label(name) for name, table in TABLES.items()))
_RAISED = (dead_letters.c.sink.in_(SINKS.values()), dead_letters.c.retry)
_LOOK = _NEWEST.add_columns(exists().where(*_RAISED).label("again"))


@dataclass(frozen=True, slots=True)
class Ref:
    """One row of one source."""

    source: Source
    id: int


def begin(connection: Connection) -> Position:
    """Where to go on. A sink that was never on starts from now: nobody wants history."""
    row = connection.execute(select(outbox).where(_MINE)).first()
    if row is None:
        start = newest(connection)
        values = {"delivered": start["events"], "intent": _encode(start, ())}
        connection.execute(insert(outbox), {"sink": SINK, **values})
        return start
    known, _ = _decode(row.intent)
    return newest(connection) | known | {"events": row.delivered}


def forget(connection: Connection) -> None:
    """Switched off: when it is switched on again it starts from then."""
    connection.execute(delete(outbox).where(_MINE))


def newest(connection: Connection) -> Position:
    row = connection.execute(_NEWEST).one()
    return {name: row._mapping[name] or 0 for name in TABLES}


def newest_of(connection: Connection, source: Source) -> int:
    return int(connection.execute(select(func.max(TABLES[source].c.id))).scalar() or 0)


def is_waiting(connection: Connection, position: Position) -> bool:
    """One cheap question, asked each second."""
    row = connection.execute(_LOOK).one()._mapping
    return bool(row["again"]) or any((row[name] or 0) > position[name] for name in TABLES)


def advance(connection: Connection, position: Position) -> None:
    """Everything up to `position` is delivered, and nothing fails any more."""
    _, obeyed = _decode(_intent(connection))
    values = {"delivered": position["events"], "intent": _encode(position, obeyed)}
    connection.execute(update(outbox).where(_MINE).values(values))
    failures.recovered(connection, SINK)


def failed(connection: Connection, reason: str, now: datetime) -> None:
    """One more attempt failed, for this reason."""
    failures.failed(connection, SINK, reason, 1, clock.iso(now))


def bury(connection: Connection, refs: Iterable[Ref], reason: str, now: datetime) -> None:
    """Telegram will never take these; kept until an operator wants them sent again."""
    for ref in refs:
        deadletters.bury(connection, SINKS[ref.source], {ref.id: reason}, clock.iso(now))


def raised(connection: Connection, limit: int) -> list[Ref]:
    """What an operator wants sent again, at most `limit`."""
    found = [Ref(source, ref) for source, sink in SINKS.items() for ref in deadletters.wanted(connection, sink, limit)]
    return found[:limit]


def settled(connection: Connection, refs: Iterable[Ref]) -> None:
    """These were sent after all."""
    for ref in refs:
        deadletters.forget(connection, SINKS[ref.source], [ref.id])
    failures.recovered(connection, SINK)


def prune(connection: Connection, before: str) -> None:
    """Forget the monitors' news from before that, unless the bot has yet to tell them, or was refused them.

    Where no bot was ever on, age alone counts: one that is switched on starts from then.
    """
    refused = select(dead_letters.c.ref).where(dead_letters.c.sink == SINKS["health"])
    old = [health.c.ts < before, health.c.id.not_in(refused)]
    known, _ = _decode(_intent(connection))
    if "health" in known:
        old.append(health.c.id <= known["health"])
    connection.execute(delete(health).where(*old))


def obey(connection: Connection, update_id: int) -> bool:
    """True once for each update: one that comes again, from before a crash, is not obeyed a second time."""
    text = _intent(connection)
    position, obeyed = _decode(text)
    if update_id in obeyed:
        return False
    kept = (*obeyed, update_id)[-REMEMBERED:]
    connection.execute(update(outbox).where(_MINE).values(intent=_encode(position, kept)))
    return True


def _intent(connection: Connection) -> str | None:
    found: str | None = connection.execute(select(outbox.c.intent).where(_MINE)).scalar()
    return found


def _encode(position: Mapping[Source, int], obeyed: Iterable[int]) -> str:
    cursors = {name: position[name] for name in ("controls", "resets", "health") if name in position}
    return json.dumps({"cursors": cursors, "obeyed": list(obeyed)})


def _decode(text: str | None) -> tuple[Position, tuple[int, ...]]:
    kept = json.loads(text) if text else {}
    return dict(kept.get("cursors", {})), tuple(kept.get("obeyed", ()))
