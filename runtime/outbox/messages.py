"""What the ledger must be told: written with the alert that causes it, delivered afterwards, kept when refused."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from runtime.journal.outbox import Progress, load, save
from runtime.outbox import deadletters
from runtime.store.tables import messages, outbox

SINK = "perf"


@dataclass(frozen=True, slots=True)
class Message:
    """One event for the ledger."""

    id: int
    body: str


def waiting(connection: Connection, limit: int) -> list[Message]:
    """The next messages, oldest first."""
    after = load(connection, outbox, SINK).delivered
    rows = connection.execute(select(messages).where(messages.c.id > after).order_by(messages.c.id).limit(limit))
    return [Message(row.id, row.body) for row in rows]


def these(connection: Connection, ids: list[int]) -> list[Message]:
    """Messages by their ids, oldest first."""
    rows = connection.execute(select(messages).where(messages.c.id.in_(ids)).order_by(messages.c.id))
    return [Message(row.id, row.body) for row in rows]


def settle(connection: Connection, upto: int, dead: dict[int, str], ts: str) -> None:
    """Everything up to message `upto` is done; those in `dead` were refused at `ts`, for the reason given."""
    deadletters.bury(connection, SINK, dead, ts)
    save(connection, outbox, SINK, Progress(upto, None))
