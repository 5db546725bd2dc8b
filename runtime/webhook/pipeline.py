"""An alert's way into the store: known already? may it? how large? All of it in the transaction that records it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from runtime import clock, engines, payload, risk
from runtime.engines import Engine
from runtime.payload import Invalid, Json
from runtime.router.decision import Case, Decision, Rules, Trade, decide, needs_trades
from runtime.settings import WebhookSettings
from runtime.webhook import events
from runtime.webhook.alert import Alert
from runtime.webhook.book import Book, Questions
from runtime.webhook.events import Origin

LONGEST_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Sized:
    """An alert with its engine, and the position it would open; None: nothing, or not sized."""

    alert: Alert
    engine: Engine
    quote: risk.Quote | None

    @property
    def opens(self) -> bool:
        return self.quote is not None and self.quote.qty > 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """An alert that may be committed: when it came, and from where."""

    sized: Sized
    now: datetime
    origin: Origin


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a caller who knew the key sent, and the field for which it is refused. Neither may hold the key."""

    data: Json
    error: Invalid
    now: datetime
    origin: Origin


@dataclass(frozen=True, slots=True)
class Result:
    """What was committed, and the answer to it."""

    event_id: int
    decision: Decision
    active_engine: str | None

    def answer(self) -> Json:
        """`{"ok", "id"}`, and what was done when that is anything else than opening or recording."""
        made = self.decision
        if made.outcome == "duplicate":
            return {"ok": True, "id": self.event_id, "duplicate": True}
        if made.status >= 400:
            refused = {"ok": False, "id": self.event_id, "error": made.reason, "outcome": made.outcome}
            return refused | ({"active_engine": self.active_engine} if made.status == 409 else {"field": "signal"})
        if made.outcome in ("opened", "recorded"):
            return {"ok": True, "id": self.event_id}
        told = {"ok": True, "id": self.event_id, "outcome": made.outcome, "reason": made.reason}
        return told | {"trades": [trade.trade_id for trade in made.closes or made.marks]}


class Pipeline:
    """The alert's steps. `size` is pure, `commit` runs on the store's writer."""

    def __init__(self, settings: WebhookSettings) -> None:
        self.registry = settings.engines
        self.rules = Rules(settings.opposite, settings.lock_expiry)
        self.dedupe_seconds = settings.dedupe_seconds

    def size(self, alert: Alert) -> Sized:
        """Raises Invalid when the position cannot be what was meant, such as a stop inside the spread."""
        engine = self.registry.get(alert.engine)
        side, account = alert.side, engine.account
        opening = alert.kind in ("SIGNAL", "OPEN") and side is not None and engine.allows(side)
        if not opening or account is None or not alert.price or engines.is_test(alert.engine):
            return Sized(alert, engine, None)
        if not alert.sl:
            raise Invalid("sl", f"is needed: {engine.name} is sized by its stop")
        return Sized(alert, engine, risk.quote(account, alert.price, alert.sl, alert.tp, side=side))

    def commit(self, connection: Connection, arrivals: Sequence[Arrival | Refusal]) -> list[Result | None]:
        """Decide about each and record all. Nobody can come between: the lock is read and written here."""
        book = Book(connection, self._questions([one for one in arrivals if isinstance(one, Arrival)]))
        results = [self._take(book, one) for one in arrivals]
        book.write()
        return results

    def _take(self, book: Book, arrival: Arrival | Refusal) -> Result | None:
        if isinstance(arrival, Arrival):
            return self._settle(book, arrival)
        _refuse(book, arrival)
        return None

    def _questions(self, arrivals: list[Arrival]) -> Questions:
        keys, names, wanted = set(), set(), set()
        for alert, engine in ((one.sized.alert, one.sized.engine) for one in arrivals):
            if self._window(alert) != 0:
                keys.add(alert.dedupe_key)
            if alert.trade_id is not None:
                names.add(alert.trade_id)
            if needs_trades(alert.kind, engine, alert.side):
                wanted.add(engine.name)
        lock = any(one.sized.engine.aggressive for one in arrivals)  # the others neither need nor change it
        return Questions(frozenset(keys), frozenset(wanted), frozenset(names), lock)

    def _settle(self, book: Book, arrival: Arrival) -> Result:
        case = self._case(book, arrival)
        made = decide(case)
        event_id = book.record(_row(arrival, made))
        if case.engine.aggressive and made.lock != case.lock:
            book.set_lock(made.lock, arrival.now)
        alert = arrival.sized.alert
        for trade in made.closes:
            book.close(trade, case.engine.name, event_id, _end(trade, alert, _why(case), arrival.now))
        told = managed(alert, made, arrival.now) if made.closes or made.marks else []
        if made.outcome == "opened":
            told.append(self._open(book, arrival, event_id))
        book.tell(event_id, told)
        first = case.first if made.outcome == "duplicate" else None
        return Result(first or event_id, made, made.lock.engine if made.lock else None)

    def _case(self, book: Book, arrival: Arrival) -> Case:
        alert, engine = arrival.sized.alert, arrival.sized.engine
        return Case(
            kind=alert.kind,
            engine=engine,
            side=alert.side,
            symbol=alert.symbol,
            sized=arrival.sized.opens,
            now=arrival.now,
            rules=self.rules,
            trade_id=alert.trade_id,
            first=self._first(book, arrival),
            lock=book.lock if engine.aggressive else None,
            trades=book.trades(engine.name) if needs_trades(alert.kind, engine, alert.side) else (),
        )

    def _window(self, alert: Alert) -> float | None:
        """Seconds in which the same alert is a repetition; None: ever. Without an id, test alerts never repeat:

        people press the test button twice.
        """
        if alert.delivery is not None:
            return None
        return 0 if engines.is_test(alert.engine) else self.dedupe_seconds

    def _first(self, book: Book, arrival: Arrival) -> int | None:
        """The event this one repeats."""
        alert = arrival.sized.alert
        window = self._window(alert)
        found = None if window == 0 else book.first(alert.dedupe_key, arrival.now, window)
        if found is None and arrival.sized.opens and alert.trade_id is not None:
            return book.opened_by(alert.engine, alert.trade_id)
        return found

    def _open(self, book: Book, arrival: Arrival, event_id: int) -> Json:
        """Keep the virtual trade, and say what the ledger is told of it. Its quantity is in the underlying's units."""
        alert, quote, now = arrival.sized.alert, arrival.sized.quote, arrival.now
        assert quote is not None  # noqa: S101 - only what is sized opens
        name = alert.trade_id or f"{now:%Y%m%dT%H%M%S}-{event_id}"
        if alert.trade_id is not None and book.is_used(name):
            name = f"{name[:100]}-{now:%Y%m%dT%H%M%S}-{event_id}"
        trade = _trade(name, arrival, quote)
        book.open(trade, alert.engine, event_id)
        told: Json = {"type": "OPEN", "trade_id": name, "engine": alert.engine, "symbol": alert.symbol}
        told |= {"side": trade.side, "entry": trade.entry, "stop": trade.stop, "qty": trade.qty}
        told |= {"risk_usd": trade.risk_usd, "ts": clock.iso(now)}
        return told | {"meta": _meta(alert, event_id) | {"qty": quote.qty}}


def _row(arrival: Arrival, made: Decision) -> Json:
    """The event as it is stored. A refusal or a repetition is nothing that others may repeat."""
    alert = arrival.sized.alert
    quote = arrival.sized.quote if made.outcome == "opened" else None
    final = made.status >= 400 or made.outcome == "duplicate"
    return events.row(
        alert.payload(),
        clock.iso(arrival.now),
        arrival.origin,
        outcome=made.outcome,
        status=made.status,
        reason_text=made.reason,
        event_type=alert.kind,
        qty=quote.qty if quote else 0.0,
        risk_usd=quote.risk_usd if quote else 0.0,
        risk_real_usd=quote.risk_real_usd if quote else 0.0,
        trade_id=alert.trade_id,
        dedupe_key=None if final else alert.dedupe_key,
    )


def _trade(name: str, arrival: Arrival, quote: risk.Quote) -> Trade:
    alert = arrival.sized.alert
    return Trade(
        trade_id=name,
        symbol=alert.symbol,
        side=quote.side,
        locked=arrival.sized.engine.aggressive,
        alias=alert.trade_id,
        entry=alert.price or 0.0,
        stop=alert.sl or 0.0,
        tp=alert.tp,
        qty=quote.size,
        risk_usd=quote.risk_real_usd,
        opened_ts=clock.iso(arrival.now),
    )


def _meta(alert: Alert, event_id: int) -> Json:
    reason = alert.reason[:LONGEST_KEPT]
    return {"tf": alert.tf, "tp": alert.tp, "reason": reason, "src": "/tv", "event_id": event_id}


def _why(case: Case) -> str:
    if case.kind == "CLOSE":
        return "close"
    return "opposite" if case.side is None or not case.engine.allows(case.side) else "reversed"


def _end(trade: Trade, alert: Alert, why: str, now: datetime) -> Json:
    """What closing `trade` at the alert's level earned, in USD and in R. See `runtime.risk` for inverse contracts."""
    level = alert.level or alert.price or trade.entry
    pnl = trade.qty * (level - trade.entry) * (1 if trade.side == "LONG" else -1)
    risked = trade.risk_usd or trade.qty * abs(trade.entry - trade.stop)
    done = {"exit": level, "pnl": pnl, "r": pnl / risked if risked else None}
    return done | {"closed_ts": clock.iso(now), "closed_why": why}


def managed(alert: Alert, made: Decision, now: datetime) -> list[Json]:
    """What the ledger is told of trades that end or are marked: at the alert's own level, else its price."""
    level, ts = alert.level or alert.price, clock.iso(now)
    ends = [{"type": "CLOSE", "trade_id": trade.trade_id, "exit": level, "ts": ts} for trade in made.closes]
    return ends + [{"type": "UPDATE", "trade_id": trade.trade_id, "mark": level, "ts": ts} for trade in made.marks]


def _refuse(book: Book, refusal: Refusal) -> None:
    """Keep its field, why, and what can be shown of what was sent."""
    data, error = refusal.data, refusal.error
    row: Json = {name: _text(data.get(name)) for name in ("engine", "signal", "symbol", "tf", "reason")}
    row |= {"price": None, "tp": None, "sl": None, "field": _text(error.field), "body": _body(data)}
    found: dict[str, Any] = {"outcome": "invalid", "status": 400, "reason_text": _text(str(error), 300)}
    book.record(events.row(row, clock.iso(refusal.now), refusal.origin, **found))


def _text(value: object, limit: int = 64) -> str:
    return "".join(letter for letter in value if letter.isprintable())[:limit] if isinstance(value, str) else ""


def _body(data: Json) -> str:
    try:
        return json.dumps(data)[:LONGEST_KEPT]
    except (RecursionError, ValueError):
        return ""


def without_keys(data: Json, keys: tuple[str, ...]) -> Json:
    """The object without any key, wherever it stands; empty when it is nested too deeply to look."""
    try:
        cleaned: Json = payload.redact(data, *keys)
    except RecursionError:
        return {}
    return cleaned
