"""Which process delivers to a sink. A lease can be lost unnoticed; what is committed under an older term is refused."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from runtime.store.tables import outbox


def begin(connection: Connection, sink: str) -> int:
    """Take the sink over: a new term, whose number is higher than that of any before."""
    mine = update(outbox).where(outbox.c.sink == sink)
    if not connection.execute(mine.values(term=outbox.c.term + 1)).rowcount:
        connection.execute(insert(outbox).values(sink=sink, delivered=0, term=1))
    return current(connection, sink)


def current(connection: Connection, sink: str) -> int:
    """The newest term; 0 before the first."""
    return int(connection.execute(select(outbox.c.term).where(outbox.c.sink == sink)).scalar() or 0)
