"""Counts over the newest events: bounded work, however many are stored."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from runtime import clock
from runtime.payload import Json
from runtime.store.tables import events


def report(connection: Connection, now: datetime, limit: int, window_min: float, inactivity_sec: float) -> Json:
    """By engine and signal, refusals by outcome, and whether it has been quiet for too long.

    Looks at the newest `limit` events, of those at the ones of the last `window_min` minutes; `truncated` says that
    the window holds more than `limit`.
    """
    groups = _groups(connection, clock.iso(now - timedelta(minutes=window_min)), limit)
    seen = sum(row.count for row in groups)
    last_ts = connection.execute(select(events.c.ts).order_by(events.c.id.desc()).limit(1)).scalar()
    age = max(0.0, (now - clock.from_iso(last_ts)).total_seconds()) if last_ts else None  # the clock may be set back
    return {
        "events": seen,
        "window_min": window_min,
        "limit": limit,
        "truncated": seen >= limit,
        "by_engine": _by_engine(groups),
        "by_signal": _count(groups, "signal", accepted=True),
        "refusals": _count(groups, "outcome", accepted=False),
        "duplicates": sum(row.count for row in groups if row.outcome == "duplicate"),
        "last_event_ts": last_ts,
        "age_sec": age,
        "inactivity_sec": inactivity_sec,
        "inactive": age is None or age >= inactivity_sec,
    }


def last_by_engine(connection: Connection, names: list[str]) -> Json:
    """The newest event of each named engine, or None: one look into the index for each."""
    found: Json = {}
    for name in names:
        query = select(events.c.ts, events.c.signal, events.c.symbol, events.c.outcome)
        row = connection.execute(query.where(events.c.engine == name).order_by(events.c.id.desc()).limit(1)).first()
        found[name] = dict(row._mapping) if row else None
    return found


def _groups(connection: Connection, since: str, limit: int) -> list[Any]:
    columns = (events.c.ts, events.c.engine, events.c.signal, events.c.outcome, events.c.status)
    newest = select(*columns).order_by(events.c.id.desc()).limit(limit).subquery()
    names = (newest.c.engine, newest.c.signal, newest.c.outcome, newest.c.status)
    return list(
        connection.execute(
            select(*names, func.count().label("count"), func.max(newest.c.ts).label("last"))
            .where(newest.c.ts >= since)
            .group_by(*names)
        )
    )


def _taken(row: Any) -> bool:
    return bool((row.status is None or row.status < 400) and row.outcome != "duplicate")


def _by_engine(groups: list[Any]) -> Json:
    found: dict[str, Json] = {}
    for row in groups:
        if _taken(row):
            one = found.setdefault(row.engine, {"total": 0, "last_ts": row.last})
            one["total"] += row.count
            one[row.signal] = one.get(row.signal, 0) + row.count
            one["last_ts"] = max(one["last_ts"], row.last)
    return dict(sorted(found.items()))


def _count(groups: list[Any], name: str, *, accepted: bool) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in groups:
        if _taken(row) if accepted else (row.status or 0) >= 400:
            counts[getattr(row, name)] += row.count
    return dict(counts)
