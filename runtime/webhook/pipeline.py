"""An alert's way into the store: known already? may it? how large? All of it in the transaction that records it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from runtime import clock, engines, risk
from runtime.engines import Engine
from runtime.fixed import fixed
from runtime.payload import Invalid, Json, dumps
from runtime.router import bars
from runtime.router.decision import Case, Decision, Lock, Rules, Trade, decide, held, needs_trades, repeats
from runtime.router.guards import Finding, Verdict
from runtime.settings import WebhookSettings
from runtime.webhook import guarding, refusals, told
from runtime.webhook.alert import EVERY, Alert
from runtime.webhook.book import Book, Questions
from runtime.webhook.events import Origin
from runtime.webhook.guarding import Known
from runtime.webhook.refusals import Refusal

_JUDGED = ("opened", "recorded", "closed", "guarded")
"""Outcomes for which it mattered what the guards said."""


@fixed
class Sized:
    """An alert with its engine, and the position it would open; None: nothing, or not sized."""

    alert: Alert
    engine: Engine
    position: risk.Position | None

    @property
    def opens(self) -> bool:
        return self.position is not None and self.position.qty > 0


class Arrival:
    """An alert that may be committed: when it came (`ts`: as it is stored), from where, the key of its repetitions."""

    __slots__ = ("key", "now", "origin", "sized", "ts")

    def __init__(self, sized: Sized, now: datetime, origin: Origin) -> None:
        self.sized = sized
        self.now = now
        self.origin = origin
        self.ts = clock.iso(now)
        self.key = sized.alert.dedupe_key


@fixed
class End:
    """A trade of `engine` that ends at `level`; `why`: stop, target, close, opposite, reversed."""

    trade: Trade
    engine: str
    level: float
    why: str


@fixed
class Result:
    """What was committed, and the answer to it."""

    event_id: int
    decision: Decision
    active_engine: str | None
    findings: tuple[Finding, ...] = ()

    def answer(self) -> Json:
        """`{"ok", "id"}`, what was done when that is anything else than opening or recording, what the guards said."""
        made = self.decision
        if made.outcome == "duplicate":
            return {"ok": True, "id": self.event_id, "duplicate": True}
        guards: Json = {"guards": [finding.shown() for finding in self.findings]} if self.findings else {}
        if made.status >= 400:
            return {"ok": False, "id": self.event_id, "error": made.reason, "outcome": made.outcome} | self._more(
                guards
            )
        if made.outcome in ("opened", "recorded"):
            return {"ok": True, "id": self.event_id} | guards
        done = {"ok": True, "id": self.event_id, "outcome": made.outcome, "reason": made.reason}
        return done | {"trades": [trade.trade_id for trade in made.closes or made.marks]} | guards

    def _more(self, guards: Json) -> Json:
        outcomes: dict[str, Json] = {"guarded": guards, "locked": {"active_engine": self.active_engine}}
        return outcomes.get(self.decision.outcome, {"field": "signal"})


class Pipeline:
    """The alert's steps. `size` is pure, `commit` runs on the store's writer."""

    def __init__(self, settings: WebhookSettings) -> None:
        self.registry = settings.engines
        self.rules = Rules(settings.opposite, settings.lock_expiry)
        self.dedupe_seconds = settings.dedupe_seconds
        self.watch = clock.Watch(settings.dedupe_seconds)

    def size(self, alert: Alert, factor: float = 1.0) -> Sized:
        """With `factor` of the engine's risk.

        Raises Invalid when the position cannot be what was meant, such as a stop inside the spread.
        """
        engine = self.registry.get(alert.engine)
        side, account = alert.side, engine.account
        opening = alert.kind in ("SIGNAL", "OPEN") and side is not None and engine.allows(side)
        if not opening or account is None or not alert.price or engines.is_test(alert.engine):
            return Sized(alert, engine, None)
        if not alert.sl:
            raise Invalid("sl", f"is needed: {engine.name} is sized by its stop")
        if factor != 1:
            account = replace(account, risk_pct=account.risk_pct * factor)
        return Sized(alert, engine, risk.position(account, alert.price, alert.sl, alert.tp, side=side))

    def commit(self, connection: Connection, arrivals: Sequence[Arrival | Refusal]) -> list[Result | None]:
        """Decide about each and record all. Nobody can come between: the lock is read and written here."""
        self.watch.look()
        taken = [one for one in arrivals if isinstance(one, Arrival)]
        book, known = Book(connection, self._questions(taken)), self._known(connection, taken)
        results = [self._take(book, known, one) for one in arrivals]
        book.write()
        known.write(connection)
        return results

    def _take(self, book: Book, known: Known, arrival: Arrival | Refusal) -> Result | None:
        if isinstance(arrival, Refusal):
            refusals.record(book, arrival)
            return None
        return self._settle_bar(book, known, arrival) if _is_bar(arrival) else self._settle(book, known, arrival)

    def _known(self, connection: Connection, arrivals: list[Arrival]) -> Known:
        """What the guards must know; nothing when there are none and no alert wants to open."""
        guards = self.registry.guards
        if guards or any(one.sized.opens for one in arrivals):
            return guarding.load(connection, guards)
        return Known(guards)

    def _questions(self, arrivals: list[Arrival]) -> Questions:
        asked = Questions()
        for one in arrivals:
            alert, engine = one.sized.alert, one.sized.engine
            if self._window(alert) != 0:
                asked.keys.add(one.key)
            if alert.trade_id is not None:
                asked.names.add(alert.trade_id)
            # Engines that are not aggressive neither need nor change the lock. A bar may concern any of them.
            if engine.aggressive or _is_bar(one):
                asked.lock = True
            if _is_bar(one):
                asked.symbols.add(alert.symbol)
                asked.holders = True
            elif needs_trades(alert.kind, engine, alert.side):
                if alert.trade_id is None or alert.kind not in ("CLOSE", "UPDATE"):
                    asked.pairs.add((engine.name, alert.symbol))
                asked.holders |= engine.aggressive
        return asked

    def _settle(self, book: Book, known: Known, arrival: Arrival) -> Result:
        first = self._first(book, arrival)
        verdict = _verdict(known, arrival) if first is None else Verdict()
        if verdict.factor != 1:
            arrival = Arrival(self.size(arrival.sized.alert, verdict.factor), arrival.now, arrival.origin)
        case = self._case(book, arrival, first, verdict.why)
        made = decide(case)
        findings = verdict.findings if made.outcome in _JUDGED else ()
        event_id = book.record(_row(arrival, made, findings))
        if case.engine.aggressive and made.lock != case.lock:
            book.set_lock(made.lock, arrival.now)
        if made.closes or made.marks:
            level = arrival.sized.alert.level or arrival.sized.alert.price
            ends = [End(trade, case.engine.name, level or trade.entry, told.why(case)) for trade in made.closes]
            book.tell(event_id, _close(book, known, ends, event_id, arrival.now))
            book.tell(event_id, told.marked(made.marks, level, arrival.now))
        if made.outcome == "opened":
            known.opened(case.engine.name, arrival.now)
            book.tell(event_id, (_open(book, arrival, event_id),))
        return Result(first or event_id, made, made.lock.engine if made.lock else None, findings)

    def _settle_bar(self, book: Book, known: Known, arrival: Arrival) -> Result:
        alert, first = arrival.sized.alert, self._first(book, arrival)
        lock = held(book.lock, arrival.now, self.rules.expiry)
        made, ends = _settled(book, alert, lock) if first is None else (repeats(first, lock), [])
        event_id = book.record(_row(arrival, made))
        if made.lock != lock:
            book.set_lock(made.lock, arrival.now)
        messages = _close(book, known, ends, event_id, arrival.now)
        book.tell(event_id, messages + told.marked(made.marks, alert.level, arrival.now))
        return Result(first or event_id, made, made.lock.engine if made.lock else None)

    def _case(self, book: Book, arrival: Arrival, first: int | None, guarded: str) -> Case:
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
            first=first,
            lock=book.lock if engine.aggressive else None,
            trades=book.trades(engine.name) if needs_trades(alert.kind, engine, alert.side) else (),
            guarded=guarded,
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
        alert, found = arrival.sized.alert, book.first(arrival.key)
        if found is not None and self._repeats(arrival, found[1]):
            return found[0]
        if arrival.sized.opens and alert.trade_id is not None:
            return book.opened_by(alert.engine, alert.trade_id)
        return None

    def _repeats(self, arrival: Arrival, ts: str) -> bool:
        """True when one at `ts` is near enough, also by the clock before it was set: that makes no alert new."""
        window = self._window(arrival.sized.alert)
        if not window:
            return window is None
        before = clock.from_iso(ts)
        return any(abs((now - before).total_seconds()) <= window for now in self.watch.shown(arrival.now))


def _is_bar(arrival: Arrival) -> bool:
    return arrival.sized.alert.candle is not None


def _verdict(known: Known, arrival: Arrival) -> Verdict:
    """What the guards say; nothing to an alert that would open nothing."""
    position, alert = arrival.sized.position, arrival.sized.alert
    if position is None or not arrival.sized.opens:
        return Verdict()
    return known.verdict(alert.engine, arrival.now, alert.symbol, position.risk_real_usd)


def _settled(book: Book, alert: Alert, lock: Lock | None) -> tuple[Decision, list[End]]:
    """What a bar does to the open trades on its symbol: of its engine, of all, or the one it names."""
    assert alert.candle is not None  # noqa: S101 - it is a bar
    wanted = book.engines() if alert.engine == EVERY else (alert.engine,)
    owners = {trade.trade_id: engine for engine in wanted for trade in book.trades(engine)}
    concerned = [trade for engine in wanted for trade in book.trades(engine) if _concerns(alert, trade)]
    found = bars.decide(alert.candle, concerned, book.trades(lock.engine) if lock else (), lock)
    fills = [(trade, found.fills[trade.trade_id]) for trade in found.decision.closes]
    return found.decision, [End(trade, owners[trade.trade_id], fill.price, fill.why) for trade, fill in fills]


def _concerns(alert: Alert, trade: Trade) -> bool:
    return trade.symbol == alert.symbol and alert.trade_id in (None, trade.trade_id, trade.alias)


def _close(book: Book, known: Known, ends: list[End], event_id: int, now: datetime) -> list[Json]:
    """End trades in the store and in what the guards count; what the ledger is told of it."""
    for one in ends:
        done = told.end(one.trade, one.level, one.why, now)
        book.close(one.trade, one.engine, event_id, done)
        known.closed(one.engine, done["r"] or 0.0, done["pnl"], now)
    return [told.closed(one.trade, one.level, now) for one in ends]


def _open(book: Book, arrival: Arrival, event_id: int) -> Json:
    """Keep the virtual trade, and say what the ledger is told of it."""
    alert, position = arrival.sized.alert, arrival.sized.position
    assert position is not None  # noqa: S101 - only what is sized opens
    name, stamp = alert.trade_id, arrival.ts[:19].replace("-", "").replace(":", "")  # 20260217T093000; strftime is slow
    if name is None:
        name = f"{stamp}-{event_id}"
    elif book.is_used(name):
        name = f"{name[:100]}-{stamp}-{event_id}"
    trade = told.trade(name, alert, position, arrival.ts, locked=arrival.sized.engine.aggressive)
    book.open(trade, alert.engine, event_id)
    return told.opened(trade, alert, position.qty, event_id)


def _row(arrival: Arrival, made: Decision, findings: tuple[Finding, ...] = ()) -> Json:
    """The event as it is stored. A refusal or a repetition is nothing that others may repeat."""
    alert, origin = arrival.sized.alert, arrival.origin
    opened = arrival.sized.position if made.outcome == "opened" else None
    final = made.status >= 400 or made.outcome == "duplicate"
    return {
        "ts": arrival.ts,
        "ip": origin.ip,
        "engine": alert.engine,
        "signal": alert.signal,
        "symbol": alert.symbol,
        "tf": alert.tf,
        "price": alert.price,
        "tp": alert.tp,
        "sl": alert.sl,
        "reason": alert.reason,
        "payload": dumps(alert.payload()),
        "outcome": made.outcome,
        "status": made.status,
        "reason_text": made.reason,
        "event_type": alert.kind,
        "qty": opened.qty if opened else 0.0,
        "risk_usd": opened.risk_usd if opened else 0.0,
        "risk_real_usd": opened.risk_real_usd if opened else 0.0,
        "trade_id": alert.trade_id,
        "dedupe_key": None if final else arrival.key,
        "key_name": origin.key,
        "guards": json.dumps([finding.shown() for finding in findings]) if findings else None,
        "request": origin.request,
    }
