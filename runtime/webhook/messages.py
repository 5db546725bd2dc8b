"""What the ledger must be told: written with the alert that causes it, delivered afterwards, kept when refused."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from runtime.journal.outbox import Progress, load, save
from runtime.payload import Json
from runtime.store.tables import messages, outbox

SINK = "perf"


@dataclass(frozen=True, slots=True)
class Message:
    """One event for the ledger."""

    id: int
    body: str


def add(connection: Connection, event_id: int, bodies: list[Json]) -> None:
    """To be delivered in this order, after the transaction they are part of."""
    if bodies:
        rows = [{"event_id": event_id, "body": json.dumps(body)} for body in bodies]
        connection.execute(insert(messages), rows)


def waiting(connection: Connection, limit: int) -> list[Message]:
    """The next messages, oldest first."""
    after = load(connection, outbox, SINK).delivered
    rows = connection.execute(select(messages).where(messages.c.id > after).order_by(messages.c.id).limit(limit))
    return [Message(row.id, row.body) for row in rows]


def settle(connection: Connection, upto: int, dead: dict[int, str]) -> None:
    """Everything up to message `upto` is done; those in `dead` were refused, for the reason given."""
    for message_id, reason in dead.items():
        connection.execute(update(messages).where(messages.c.id == message_id).values(dead=reason))
    save(connection, outbox, SINK, Progress(upto, None))


def counts(connection: Connection) -> tuple[int, int]:
    """How many wait, and how many are dead."""
    after = load(connection, outbox, SINK).delivered
    owed = connection.execute(select(func.count()).where(messages.c.id > after)).scalar_one()
    dead = connection.execute(select(func.count()).where(messages.c.dead.is_not(None))).scalar_one()
    return int(owed), int(dead)
