"""Since when a sink fails, and why: kept in the store so that it can be asked for from outside the service."""

from __future__ import annotations

from sqlalchemy import Connection, insert, update

from runtime.store.tables import outbox


def failed(connection: Connection, sink: str, reason: str, attempts: int, ts: str) -> None:
    """`attempts` more have failed at `ts`. The moment of the first is kept, also across restarts."""
    known = {"error": reason[:500], "attempts": outbox.c.attempts + attempts}
    first = {"failing_since": ts, "attempts": attempts, "error": reason[:500]}
    mine = update(outbox).where(outbox.c.sink == sink)
    if connection.execute(mine.where(outbox.c.failing_since.is_not(None)).values(known)).rowcount:
        return
    if not connection.execute(mine.values(first)).rowcount:
        connection.execute(insert(outbox).values(sink=sink, delivered=0, **first))


def recovered(connection: Connection, sink: str) -> None:
    """It delivers again. Writes nothing when it was not known to fail."""
    well = {"error": None, "failing_since": None, "attempts": 0}
    connection.execute(update(outbox).where(outbox.c.sink == sink, outbox.c.failing_since.is_not(None)).values(well))
