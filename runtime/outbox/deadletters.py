"""What a sink refused for good: kept with its reason, and sent again when an operator says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from runtime.outbox.text import columns
from runtime.payload import Json
from runtime.store.tables import dead_letters as letters


@dataclass(frozen=True, slots=True)
class Letter:
    """`ref` is the event's id (of perf: the message's); `retry`: it waits to be sent again."""

    id: int
    sink: str
    ref: int
    reason: str
    ts: str
    retry: bool

    def shown(self) -> Json:
        return asdict(self)


def bury(connection: Connection, sink: str, dead: Mapping[int, str], ts: str) -> None:
    """Keep what was refused at `ts`, each by its `ref` with the reason; one that is known gets the new reason."""
    for ref, reason in dead.items():
        row = {"reason": reason[:500], "ts": ts, "retry": False}
        mine = (letters.c.sink == sink, letters.c.ref == ref)
        if connection.execute(update(letters).where(*mine).values(row)).rowcount == 0:
            connection.execute(insert(letters).values(sink=sink, ref=ref, **row))


def wanted(connection: Connection, sink: str, limit: int) -> list[int]:
    """The refs of those an operator wants sent again, in the order in which they first were."""
    mine = (letters.c.sink == sink, letters.c.retry)
    return list(connection.execute(select(letters.c.ref).where(*mine).order_by(letters.c.ref).limit(limit)).scalars())


def forget(connection: Connection, sink: str, refs: Iterable[int]) -> None:
    """They were delivered after all."""
    for ref in refs:
        connection.execute(delete(letters).where(letters.c.sink == sink, letters.c.ref == ref))


def retry(connection: Connection, sink: str, letter_id: int | None = None) -> int:
    """Mark one letter of `sink`, or all of them, to be sent again; returns how many."""
    mine = letters.c.sink == sink
    if letter_id is not None:
        mine &= letters.c.id == letter_id
    return connection.execute(update(letters).where(mine).values(retry=True)).rowcount


def counts(connection: Connection) -> dict[str, int]:
    """How many there are, by sink."""
    rows = connection.execute(select(letters.c.sink, func.count()).group_by(letters.c.sink))
    return {sink: count for sink, count in rows}


def listed(connection: Connection, limit: int) -> list[Letter]:
    """By sink, oldest first."""
    query = select(letters).order_by(letters.c.sink, letters.c.ref).limit(limit)
    return [Letter(**row._mapping) for row in connection.execute(query)]


def table(letters: Iterable[Letter]) -> str:
    """For people: one line a letter; empty when there are none."""
    head = ("dead letter", "sink", "ref", "since", "", "reason")
    rows = [(one.id, one.sink, one.ref, one.ts, "to be sent again" if one.retry else "", one.reason) for one in letters]
    return "\n" + columns(head, rows) if rows else ""
