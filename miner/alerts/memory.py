"""What a watchman keeps, written in one transaction with what it says. For the store's readers and its writer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from miner.alerts import tables
from miner.alerts.notices import Notice
from miner.alerts.states import Change, States, from_json
from miner.readings import Moment
from runtime import clock
from runtime.store import upsert

KEPT = timedelta(days=90)
"""How long what was told is remembered, here and in the webhook's store."""
_STATES = "alerts"


@dataclass(frozen=True, slots=True)
class Mute:
    """`scope`: see `windows.covers`. In the boot that it was said in, the steady clock says when it ends."""

    scope: str
    until: datetime
    boot: str
    steady: float
    by: str

    def holds(self, moment: Moment) -> bool:
        return moment.steady < self.steady if moment.boot == self.boot else moment.at < self.until


@dataclass(frozen=True, slots=True)
class Untold:
    """A change that waits for others to be told with."""

    id: int
    change: Change


def states(connection: Connection) -> States:
    """As they were stored last; new ones if there are none."""
    body = connection.execute(select(tables.states.c.body).where(tables.states.c.name == _STATES)).scalar()
    return from_json(body) if body else States()


def put_states(connection: Connection, found: States) -> None:
    upsert.put(connection, tables.states, {"name": _STATES, "body": found.to_json()})


def word(connection: Connection, name: str) -> str:
    """A small thing remembered by name; empty: nothing is."""
    return str(connection.execute(select(tables.states.c.body).where(tables.states.c.name == name)).scalar() or "")


def put_word(connection: Connection, name: str, text: str) -> None:
    upsert.put(connection, tables.states, {"name": name, "body": text})


def untold(connection: Connection) -> list[Untold]:
    rows = connection.execute(
        select(tables.changes).where(tables.changes.c.notice.is_(None)).order_by(tables.changes.c.id)
    )
    return [Untold(row.id, _change(json.loads(row.body))) for row in rows]


def _change(body: dict[str, Any]) -> Change:
    """What a newer release wrote more is left out."""
    return Change(**{name: body[name] for name in Change.__dataclass_fields__ if name in body})


def add_changes(connection: Connection, found: Iterable[Change]) -> list[Untold]:
    """They wait to be told."""
    return [_add(connection, change) for change in found]


def _add(connection: Connection, change: Change) -> Untold:
    known = ("kind", "rule", "target", "severity")
    row = {name: getattr(change, name) for name in known} | {"ts": change.at, "body": json.dumps(asdict(change))}
    made = connection.execute(insert(tables.changes).returning(tables.changes.c.id), row).scalar_one()
    return Untold(made, change)


def tell(connection: Connection, notice: Notice, told: Iterable[int] = ()) -> bool:
    """Add a notice, which tells these changes. False: there is one with that key."""
    if connection.execute(select(exists().where(tables.notices.c.key == notice.key))).scalar_one():
        return False
    connection.execute(insert(tables.notices), asdict(notice))
    for one in told:
        connection.execute(update(tables.changes).where(tables.changes.c.id == one).values(notice=notice.key))
    return True


def waiting(connection: Connection, limit: int) -> list[tuple[int, Notice]]:
    """The notices that the webhook's store does not have, the oldest first."""
    columns = (tables.notices.c[name] for name in ("id", *Notice.__dataclass_fields__))
    query = select(*columns).where(~tables.notices.c.handed).order_by(tables.notices.c.id).limit(limit)
    return [(row[0], Notice(*row[1:])) for row in connection.execute(query)]


def handed(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute(update(tables.notices).where(tables.notices.c.id.in_(ids)).values(handed=True))


def mutes(connection: Connection) -> list[Mute]:
    return [
        Mute(row.scope, clock.from_iso(row.until), row.boot, row.steady, row.by)
        for row in connection.execute(select(tables.mutes).order_by(tables.mutes.c.scope))
    ]


def put_mute(connection: Connection, mute: Mute) -> None:
    upsert.put(connection, tables.mutes, asdict(mute) | {"until": clock.iso(mute.until)})


def drop_mutes(connection: Connection, scopes: Sequence[str]) -> None:
    connection.execute(delete(tables.mutes).where(tables.mutes.c.scope.in_(scopes)))


def counts(connection: Connection, since: datetime) -> dict[str, int]:
    """How often each rule began to be told since then."""
    table = tables.changes
    began = table.c.kind.in_(("firing", "flapping")), table.c.ts >= clock.iso(since)
    query = select(table.c.rule, func.count()).where(*began).group_by(table.c.rule).order_by(table.c.rule)
    return {rule: count for rule, count in connection.execute(query)}


def prune(connection: Connection, now: datetime) -> None:
    """Forget what was told long ago."""
    limit = clock.iso(now - KEPT)
    told = tables.changes.c.notice.is_not(None)
    connection.execute(delete(tables.changes).where(tables.changes.c.ts < limit, told))
    connection.execute(delete(tables.notices).where(tables.notices.c.ts < limit, tables.notices.c.handed))


def moved(mute: Mute, moment: Moment) -> Mute:
    """`mute` as `moment`'s calendar has it: in its boot the steady clock says when it ends."""
    if mute.boot != moment.boot:
        return mute
    return replace(mute, until=moment.at + timedelta(seconds=mute.steady - moment.steady))
