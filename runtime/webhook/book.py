"""What a batch of alerts needs to know of the store: asked once, kept true while each is decided, written once.

A decision sees what the alerts before it in the same batch did, exactly as if each had been committed by itself. The
batch is one transaction that nobody else can write between, so ids are counted here and have no gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select

from runtime.payload import Json, dumps
from runtime.router.decision import Lock, Trade
from runtime.store.ready import Insert, Query
from runtime.store.tables import events, messages, trades
from runtime.webhook import routing
from runtime.webhook.recall import named, newest
from runtime.webhook.routing import Kept

_last = Query(select(func.coalesce(func.max(events.c.id), literal_column("0"))))


@dataclass(slots=True)
class Questions:
    """What the alerts of a batch may ask: dedupe keys, names of trades, the lock.

    `pairs`: each an engine and a symbol on which its open trades matter. `symbols`: those on them matter whoever holds
    them, also engines that are configured no longer. `holders`: those that hold the lock matter, if it is held.
    """

    keys: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    lock: bool = False
    pairs: set[tuple[str, str]] = field(default_factory=set)
    symbols: set[str] = field(default_factory=set)
    holders: bool = False


@dataclass(slots=True)
class _Found:
    """What the store said, and what the batch made of it."""

    last: int
    seen: dict[str, tuple[int, str]]
    lock: Lock | None
    trades: dict[str, list[Trade]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], int] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


class Book:
    """One batch's view of the store. Every method but `write` works in memory."""

    def __init__(self, connection: Connection, asked: Questions) -> None:
        self._connection = connection
        self._found = _look(connection, asked)
        self._lock_at: datetime | None = None
        self._freed = False
        self._events: list[Json] = []
        self._opened: dict[str, Json] = {}
        self._closed: list[Json] = []
        self._messages: list[Json] = []

    @property
    def lock(self) -> Lock | None:
        """As it was last written: it may have expired. None too when nobody asked for it."""
        return self._found.lock

    def next_id(self) -> int:
        """The id of the event that is recorded next."""
        return self._found.last + 1

    def first(self, key: str) -> tuple[int, str] | None:
        """(id, ts) of the newest event with this dedupe key."""
        return self._found.seen.get(key)

    def opened_by(self, engine: str, alias: str) -> int | None:
        """The event that opened the trade the engine calls `alias`; None when none of that name is open."""
        return self._found.aliases.get((engine, alias))

    def is_used(self, trade_id: str) -> bool:
        """True when a trade, open or closed, has this id: the ledger never takes one twice."""
        return trade_id in self._found.used

    def trades(self, engine: str) -> Sequence[Trade]:
        """The engine's open virtual trades that were asked for, oldest first."""
        return self._found.trades.get(engine, ())

    def engines(self) -> Sequence[str]:
        """Those of whom open trades are known."""
        return tuple(self._found.trades)

    def record(self, row: Json) -> int:
        """Keep an event (every column but its id, which the row gets); returns its id."""
        event_id = self._found.last = row["id"] = self._found.last + 1
        self._events.append(row)
        if row["dedupe_key"] is not None:
            self._found.seen[row["dedupe_key"]] = (event_id, row["ts"])
        return event_id

    def tell(self, event_id: int, bodies: Iterable[Json]) -> None:
        """What the ledger must be told of an event, in this order."""
        self._messages += ({"event_id": event_id, "body": dumps(body)} for body in bodies)

    def set_lock(self, after: Lock | None, now: datetime) -> None:
        """Hand the lock on. When its holder changes, the trades of the one before hold it no longer."""
        before, self._found.lock, self._lock_at = self._found.lock, after, now
        if before is not None and after is not None and before.since == after.since:
            return
        if before != after:
            self._freed = True
            for row in self._opened.values():
                row["locked"] = False
            for engine, known in self._found.trades.items():
                self._found.trades[engine] = [replace(trade, locked=False) for trade in known]

    def open(self, trade: Trade, engine: str, event_id: int) -> None:
        """Keep a new virtual trade of `engine`."""
        self._opened[trade.trade_id] = {
            "trade_id": trade.trade_id,
            "alias": trade.alias,
            "engine": engine,
            "symbol": trade.symbol,
            "side": trade.side,
            "entry": trade.entry,
            "stop": trade.stop,
            "tp": trade.tp,
            "qty": trade.qty,
            "risk_usd": trade.risk_usd,
            "opened_by": event_id,
            "opened_ts": trade.opened_ts,
            "locked": trade.locked,
            "closed_by": None,
            "closed_ts": None,
            "closed_why": None,
            "exit": None,
            "pnl": None,
            "r": None,
        }
        self._found.trades.setdefault(engine, []).append(trade)
        self._found.used.add(trade.trade_id)
        if trade.alias is not None:
            self._found.aliases[engine, trade.alias] = event_id

    def close(self, trade: Trade, engine: str, event_id: int, done: Json) -> None:
        """End a trade; `done` has its exit, closed_ts, pnl, r and closed_why."""
        done = done | {"closed_by": event_id, "locked": False}
        if trade.trade_id in self._opened:
            self._opened[trade.trade_id] |= done
        else:
            self._closed.append({"closed": trade.trade_id} | done)
        self._found.trades[engine] = [one for one in self.trades(engine) if one.trade_id != trade.trade_id]
        if trade.alias is not None:
            self._found.aliases.pop((engine, trade.alias), None)

    def write(self) -> None:
        """Everything that was kept, in a handful of statements."""
        _ADD_EVENTS(self._connection, self._events)
        if self._lock_at is not None:
            routing.write_lock(self._connection, self._found.lock, self._lock_at)
        if self._freed:
            routing.free_trades(self._connection)
        _ADD_TRADES(self._connection, list(self._opened.values()))
        if self._closed:
            self._connection.execute(routing.CLOSE, self._closed)
        _ADD_MESSAGES(self._connection, self._messages)


_ADD_EVENTS = Insert(events, (column.name for column in events.columns))
_ADD_TRADES = Insert(trades, (column.name for column in trades.columns))
_ADD_MESSAGES = Insert(messages, ("event_id", "body"))


def _look(connection: Connection, asked: Questions) -> _Found:
    ((last,),) = _last(connection)
    seen = newest(connection, asked.keys) if asked.keys else {}
    found = _Found(last, seen, routing.lock(connection)[0] if asked.lock else None)
    known = list(_trades(connection, asked, found.lock))
    found.used = {one.trade.trade_id for one in known}
    still_open = {one.trade.trade_id: one for one in known if one.closed_by is None}
    for one in sorted(still_open.values(), key=lambda one: one.opened_by):
        found.trades.setdefault(one.engine, []).append(one.trade)
        if one.trade.alias is not None:
            found.aliases[one.engine, one.trade.alias] = one.opened_by
    return found


def _trades(connection: Connection, asked: Questions, lock: Lock | None) -> Iterator[Kept]:
    """An engine whose trades nobody ever closes has thousands of them: only those that can matter are read."""
    if asked.names:
        yield from named(connection, asked.names)
    yield from routing.open_trades(connection, asked.pairs, asked.symbols)
    if asked.holders and lock is not None:
        yield from routing.locked_trades(connection)
