"""The running figures, kept in the transaction of the event that changes them.

Sums are made in the order of the events, both here and when they are made anew, so that the two agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, tuple_

from runtime.perf import groups
from runtime.perf.bucket import Bucket, Finished, load
from runtime.perf.curve import Curve
from runtime.perf.tables import aggregates, basis, closings, days, history
from runtime.store import upsert

# Raise it when what is kept changes its form or its meaning: every ledger is then made anew at its next start.
VERSION = 2

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trade:
    """What decides a trade's groups."""

    engine: str
    symbol: str
    opened_ts: str

    @property
    def keys(self) -> list[Key]:
        return groups.of(self.engine, self.symbol, self.opened_ts)


@dataclass(frozen=True, slots=True)
class Part:
    """A closing of all or of a part of a trade; `finished` is set on the last. `released`: no longer at risk."""

    trade: Trade
    ts: str
    pnl: float
    finished: Finished | None = None
    released: int = 0


def opened(connection: Connection, trade: Trade, at_risk: int, equity0: float) -> None:
    """Count a trade that has begun."""
    held = _held(connection, trade.keys, equity0)
    for one in held.values():
        one.total += 1
        one.at_risk += at_risk
    _keep(connection, held)


def closed(connection: Connection, part: Part, equity0: float) -> None:
    """Add what a closing realised."""
    held = _held(connection, part.trade.keys, equity0)
    for one in held.values():
        add(one, part)
    _keep(connection, held)
    _keep_day(connection, part)


def add(held: Bucket, part: Part) -> None:
    """One closing in one group."""
    held.curve.step(part.ts, part.pnl)
    held.at_risk -= part.released
    if part.finished is not None:
        held.finish(part.finished)


def read(connection: Connection, dimension: str) -> dict[str, Bucket]:
    """The groups of a dimension by name, in the order that people read them."""
    rows = connection.execute(select(aggregates.c.name, aggregates.c.body).where(aggregates.c.dimension == dimension))
    found = {row.name: load(row.body) for row in rows}
    return {name: found[name] for name in sorted(found, key=groups.order)}


def whole(connection: Connection, equity0: float) -> Bucket:
    """The group of all trades."""
    return _held(connection, [groups.ALL], equity0)[groups.ALL]


def last_closing(connection: Connection) -> tuple[int, float]:
    """How many closings there are, and all that they realised."""
    row = connection.execute(select(closings.c.n, closings.c.total).order_by(closings.c.n.desc()).limit(1)).first()
    return (row.n, row.total) if row else (0, 0.0)


def stamp(connection: Connection, equity0: float, last_event: int) -> None:
    """Note what the running figures were made with, and the last event that they hold."""
    values = {"version": VERSION, "equity0": equity0, "last_event": last_event}
    upsert.put(connection, basis, {"id": 1} | values)


def stamped(connection: Connection) -> tuple[int, float, int] | None:
    """(version, equity0, last_event), or None when nothing was ever kept."""
    row = connection.execute(select(basis.c.version, basis.c.equity0, basis.c.last_event)).first()
    return (row.version, row.equity0, row.last_event) if row else None


def day_values(part: Part) -> tuple[str, float, int, int]:
    """(UTC day, profit, trades closed, of them won) that a closing adds to the calendar."""
    finished = part.finished is not None
    won = part.finished is not None and part.finished.pnl > 0
    return part.ts[:10], part.pnl, int(finished), int(won)


def _held(connection: Connection, keys: Iterable[Key], equity0: float) -> dict[Key, Bucket]:
    wanted = list(keys)
    where = tuple_(aggregates.c.dimension, aggregates.c.name).in_(wanted)
    found = {(row.dimension, row.name): load(row.body) for row in connection.execute(select(aggregates).where(where))}
    return {key: found.get(key) or Bucket(Curve(equity0)) for key in wanted}


def _keep(connection: Connection, held: dict[Key, Bucket]) -> None:
    rows = [{"dimension": key[0], "name": key[1], "body": one.dump()} for key, one in held.items()]
    upsert.put(connection, aggregates, rows)


def _keep_day(connection: Connection, part: Part) -> None:
    day, pnl, count, won = day_values(part)
    row = {"day": day, "pnl": pnl, "closed": count, "wins": won}
    upsert.put(connection, days, row, add=("pnl", "closed", "wins"))


def event_count(connection: Connection) -> int:
    """The number of the newest event; 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(history.c.id), 0))).scalar_one())
