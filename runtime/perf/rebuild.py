"""Making the running figures anew from the trades, and comparing them with those that are kept.

Done at start when an event is missing from them (an older release ran meanwhile), when the account's size was changed,
or when this release keeps them differently.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text, update

from runtime.perf import aggregates, arithmetic
from runtime.perf.aggregates import VERSION, Key, Part, Trade
from runtime.perf.bucket import Bucket, Finished
from runtime.perf.curve import Curve
from runtime.perf.tables import aggregates as kept
from runtime.perf.tables import closings, days, trades
from runtime.store.engine import unhurried

Day = tuple[float, int, int]

log = logging.getLogger("runtime.perf")


@dataclass
class Figures:
    """The groups, the calendar (profit, closed, won), and (n, total) of those closings that were kept otherwise."""

    groups: dict[Key, Bucket] = field(default_factory=dict)
    days: dict[str, Day] = field(default_factory=dict)
    misnumbered: dict[int, tuple[int, float]] = field(default_factory=dict)


def refresh(connection: Connection, equity0: float) -> bool:
    """Make the figures anew when what they were made from or with has changed; True when that was needed."""
    last = aggregates.event_count(connection)
    stamp = aggregates.stamped(connection)
    if stamp == (VERSION, equity0, last):
        return False
    unhurried(connection)
    repair(connection)
    write(connection, compute(connection, equity0))
    aggregates.stamp(connection, equity0, last)
    log.info("running figures made anew up to event %d", last)
    return True


def compute(connection: Connection, equity0: float) -> Figures:
    """The figures as the trades and their closings say, added up in the order of the events."""
    made = Figures(groups=defaultdict(lambda: Bucket(Curve(equity0))))
    for row in connection.execute(_BEGUN):
        at_risk = arithmetic.open_risk(row.risk_usd, row.qty, row.qty_closed)
        for key in Trade(row.engine, row.symbol, row.opened_ts).keys:
            made.groups[key].total += 1
            made.groups[key].at_risk += at_risk
    total = 0.0
    for n, (row, part) in enumerate(_parts(connection), 1):
        total += part.pnl
        if (row.n, row.total) != (n, total):
            made.misnumbered[row.seq] = (n, total)
        _add_day(made.days, part)
        for key in part.trade.keys:
            aggregates.add(made.groups[key], part)
    return made


def stored(connection: Connection) -> Figures:
    """The figures as they are kept."""
    names = connection.execute(select(kept.c.dimension).distinct()).scalars().all()
    read = {name: aggregates.read(connection, name) for name in names}
    return Figures(
        {(dimension, name): one for dimension, found in read.items() for name, one in found.items()},
        {row.day: (row.pnl, row.closed, row.wins) for row in connection.execute(select(days))},
    )


def differences(connection: Connection, equity0: float) -> list[str]:
    """What is kept otherwise than the trades say: one line each; none when all is well."""
    right, found = compute(connection, equity0), stored(connection)
    lines: list[str] = []
    for name in ("groups", "days", "misnumbered"):
        wanted, held = dict(getattr(right, name)), getattr(found, name)
        wrong = sorted(key for key in wanted.keys() | held.keys() if wanted.get(key) != held.get(key))
        lines += [f"{name} {key}: kept {held.get(key)}, should be {wanted.get(key)}" for key in wrong]
    return lines


def write(connection: Connection, made: Figures) -> None:
    """Replace what is kept."""
    connection.execute(delete(kept))
    connection.execute(delete(days))
    rows = [{"dimension": key[0], "name": key[1], "body": one.dump()} for key, one in made.groups.items()]
    calendar = [{"day": day, "pnl": one[0], "closed": one[1], "wins": one[2]} for day, one in made.days.items()]
    numbers = [{"at": seq, "new_n": n, "new_total": total} for seq, (n, total) in made.misnumbered.items()]
    _many(connection, insert(kept), rows)
    _many(connection, insert(days), calendar)
    _many(connection, _renumber(), numbers)


def repair(connection: Connection) -> None:
    """Complete what a release before this schema has left: marks, closings, and the extremes that follow from them."""
    for statement in _REPAIRS:
        connection.execute(text(statement.format(mark=_MARK[connection.dialect.name])))
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("mae", "mfe", "marks")}
    extremes = update(trades).where(trades.c.id == bindparam("at")).values(new)
    wrong = (_extremes(row) for row in connection.execute(text(_SEEN)))
    _many(connection, extremes, [new for new in wrong if new is not None])


def _many(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _extremes(row: Row[Any]) -> dict[str, Any] | None:
    """What a trade's marks and exits say of it; None when that is what is kept."""
    position = arithmetic.Position(row.side, row.entry, row.contract, row.contract_value)
    moved = [arithmetic.pnl(position, price, row.qty) for price in (row.lowest, row.highest)]
    mae, mfe = max(0.0, -min(moved)), max(0.0, *moved)
    if (mae, mfe, row.seen_marks) == (row.mae, row.mfe, row.marks):
        return None
    return {"at": row.id, "new_mae": mae, "new_mfe": mfe, "new_marks": row.seen_marks}


def _parts(connection: Connection) -> Iterator[tuple[Row[Any], Part]]:
    """Every closing's row and what it adds, in the order of the history."""
    columns = (closings.c.seq, closings.c.ts, closings.c.n, closings.c.total, closings.c.pnl.label("part"))
    joined = select(*columns, trades).join(trades, trades.c.id == closings.c.trade).order_by(closings.c.seq)
    for row in connection.execute(joined):
        last = finished(row) if row.status == "CLOSED" and row.seq == row.close_seq else None
        yield row, Part(Trade(row.engine, row.symbol, row.opened_ts), row.ts, row.part, last)


def finished(row: Row[Any]) -> Finished:
    """A closed trade's row as the figures see it."""
    seen = row.marks > 0
    return Finished(row.pnl, row.r, row.mae if seen else None, row.mfe if seen else None, row.risk_usd)


def _add_day(calendar: dict[str, Day], part: Part) -> None:
    day, pnl, count, won = aggregates.day_values(part)
    held = calendar.get(day)
    calendar[day] = (held[0] + pnl, held[1] + count, held[2] + won) if held else (pnl, count, won)


def _renumber() -> Any:
    return (
        update(closings)
        .where(closings.c.seq == bindparam("at"))
        .values(n=bindparam("new_n"), total=bindparam("new_total"))
    )


_BEGUN = select(*(trades.c[name] for name in ("engine", "symbol", "opened_ts", "risk_usd", "qty", "qty_closed")))

_MARK = {
    "sqlite": "json_extract(h.body, '$.mark')",
    "postgresql": "CAST(CAST(h.body AS json) ->> 'mark' AS float8)",
}

_REPAIRS = (
    """INSERT INTO marks (seq, trade, ts, price)
       SELECT h.id, t.id, h.ts, {mark}
       FROM history h JOIN trades t ON t.trade_id = h.trade_id WHERE h.type = 'UPDATE' ON CONFLICT DO NOTHING""",
    """INSERT INTO closings (seq, trade, ts, price, qty, pnl, n, total)
       SELECT t.close_seq, t.id, t.closed_ts, t.exit,
              t.qty - coalesce(sum(c.qty), 0), t.pnl - coalesce(sum(c.pnl), 0), 0, 0
       FROM trades t LEFT JOIN closings c ON c.trade = t.id
       WHERE t.status = 'CLOSED' AND t.close_seq NOT IN (SELECT seq FROM closings) GROUP BY t.id
       ON CONFLICT DO NOTHING""",
    "UPDATE trades SET qty_closed = qty WHERE status = 'CLOSED' AND qty_closed != qty",
)

_SEEN = """
    SELECT t.id, t.side, t.entry, t.qty, t.contract, t.contract_value, t.mae, t.mfe, t.marks,
           min(p.price) AS lowest, max(p.price) AS highest, sum(p.mark) AS seen_marks
    FROM (SELECT trade, price, 1 AS mark FROM marks UNION ALL SELECT trade, price, 0 FROM closings) p
    JOIN trades t ON t.id = p.trade GROUP BY t.id"""
