"""What the guards must know, in the store: standings, pauses, confirmations, and how many trades are open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from runtime import clock
from runtime.payload import Json
from runtime.router.guards import Confirmation, Facts, Pause, Verdict, judge
from runtime.router.guards_rules import ACCOUNT, Guards
from runtime.router.guards_standing import Standing, from_json
from runtime.store.ready import Query
from runtime.store.tables import confirmations, controls, pauses, standings, trades

_NOTHING = Verdict()
_STANDINGS, _CONFIRMATIONS = select(standings), select(confirmations)
_pauses = Query(select(pauses.c.scope, pauses.c.since, pauses.c.until, pauses.c.reason, pauses.c.by))
_OPEN = (
    select(trades.c.engine, func.count().label("open")).where(trades.c.closed_by.is_(None)).group_by(trades.c.engine)
)


@dataclass(slots=True)
class Known:
    """What the store said, kept true while a batch is decided. Everything is by scope."""

    guards: Guards
    pauses: dict[str, Pause] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    confirmed: dict[tuple[str, str], Confirmation] = field(default_factory=dict)
    open_trades: dict[str, int] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    def verdict(self, engine: str, now: datetime, symbol: str | None = None, risk_usd: float | None = None) -> Verdict:
        """What is said to an opening."""
        if not self.pauses and not self.guards:
            return _NOTHING
        known = (self.standings, self.open_trades, self.pauses, self.confirmed)
        return judge(self.guards, Facts(now, engine, symbol, risk_usd, *known))

    def standing(self, scope: str) -> Standing:
        return self.standings.get(scope, Standing())

    def opened(self, engine: str, now: datetime) -> None:
        self._count(engine, 1, lambda standing, day: standing.opened(day), now)

    def closed(self, engine: str, r: float, usd: float, now: datetime) -> None:
        self._count(engine, -1, lambda standing, day: standing.closed(r, usd, day), now)

    def _count(self, engine: str, more: int, step: Callable[[Standing, str], Standing], now: datetime) -> None:
        for scope, rules in self.guards.of(engine):
            self.standings[scope] = step(self.standing(scope), rules.calendar.day(now))
            self.open_trades[scope] = max(0, self.open_trades.get(scope, 0) + more)
            self._changed.add(scope)

    def write(self, connection: Connection) -> None:
        """The standings that changed."""
        if not self._changed:
            return
        connection.execute(delete(standings).where(standings.c.scope.in_(self._changed)))
        rows = [{"scope": scope, "body": self.standings[scope].to_json()} for scope in sorted(self._changed)]
        connection.execute(insert(standings), rows)


def load(connection: Connection, guards: Guards) -> Known:
    """One statement when no guards are configured: a pause holds without any."""
    known = Known(guards, read_pauses(connection))
    if not guards:
        return known
    known.standings = {row.scope: from_json(row.body) for row in connection.execute(_STANDINGS)}
    scopes = guards.scopes().values()
    if any(rules.checklist for rules in scopes):
        known.confirmed = read_confirmations(connection)
    if any(rules.open_trades_max is not None for rules in scopes):
        known.open_trades = _open_trades(connection)
    return known


def read_pauses(connection: Connection) -> dict[str, Pause]:
    rows = _pauses(connection)
    return {scope: Pause(clock.from_iso(since), _moment(until), reason, by) for scope, since, until, reason, by in rows}


def write_pause(connection: Connection, scope: str, pause: Pause) -> None:
    connection.execute(delete(pauses).where(pauses.c.scope == scope))
    row: Json = {"scope": scope, "since": clock.iso(pause.since), "reason": pause.reason, "by": pause.by}
    connection.execute(insert(pauses), row | {"until": clock.iso(pause.until) if pause.until else None})


def end_pause(connection: Connection, scope: str) -> None:
    connection.execute(delete(pauses).where(pauses.c.scope == scope))


def read_confirmations(connection: Connection) -> dict[tuple[str, str], Confirmation]:
    rows = connection.execute(_CONFIRMATIONS)
    return {(row.scope, row.item): Confirmation(clock.from_iso(row.ts), clock.from_iso(row.until)) for row in rows}


def write_confirmations(connection: Connection, scope: str, items: Iterable[str], one: Confirmation, by: str) -> None:
    """Confirm `items`, and forget what nobody can rely on any longer."""
    items = list(items)
    mine = (confirmations.c.scope == scope) & confirmations.c.item.in_(items)
    connection.execute(delete(confirmations).where(mine | (confirmations.c.until < clock.iso(one.ts))))
    ts, until = clock.iso(one.ts), clock.iso(one.until)
    rows = [{"scope": scope, "item": item, "ts": ts, "until": until, "by": by} for item in items]
    connection.execute(insert(confirmations), rows)


def restart(connection: Connection, scope: str) -> Standing | None:
    """Count a scope from zero; returns what had been counted."""
    row = connection.execute(select(standings.c.body).where(standings.c.scope == scope)).first()
    connection.execute(delete(standings).where(standings.c.scope == scope))
    return from_json(row.body) if row else None


def note(connection: Connection, now: datetime, ip: str, by: str, action: str, scope: str, detail: str) -> None:
    """Keep who did what, for good."""
    row = {"ts": clock.iso(now), "ip": ip, "by": by, "action": action, "scope": scope, "detail": detail}
    connection.execute(insert(controls), row)


def _open_trades(connection: Connection) -> dict[str, int]:
    found = {row.engine: int(row.open) for row in connection.execute(_OPEN)}
    return found | {ACCOUNT: sum(found.values())}


def _moment(text: str | None) -> datetime | None:
    return clock.from_iso(text) if text else None
