"""One alert and what is known so far, to one decision. Pure: no clock, no store.

Aggressive engines exclude each other. The lock goes with their virtual trades: taken by the alert that opens one, kept
by the holder's further alerts, given back with the last of them, by a reset, or by expiry. An alert that opens nothing
(refused, a duplicate, not sized, a test) never takes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from runtime.engines import Engine, is_test
from runtime.fixed import fixed
from runtime.risk import Side

Kind = Literal["SIGNAL", "OPEN", "UPDATE", "CLOSE", "BAR"]
Outcome = Literal["opened", "recorded", "closed", "updated", "ignored", "duplicate", "locked", "guarded", "rejected"]


@dataclass(frozen=True, slots=True)
class Lock:
    """Held by `engine` since `since`; `renewed` by its newest accepted alert."""

    engine: str
    since: datetime
    renewed: datetime


@fixed
class Trade:
    """An open virtual trade; `alias` is what its sender calls it. `qty` is in units of the underlying.

    `locked`: opened under the lock as it stands now, so it holds it. `risk_usd` (lost at the stop) and `opened_ts` are
    None for a trade that an older release opened.
    """

    trade_id: str
    symbol: str
    side: Side
    locked: bool
    alias: str | None = None
    entry: float = 0.0
    stop: float = 0.0
    tp: float | None = None
    qty: float = 0.0
    risk_usd: float | None = None
    opened_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """`opposite`: what a signal against a one-direction engine does. `expiry` in seconds; 0 is never."""

    opposite: Literal["close", "reject"] = "close"
    expiry: float = 0.0


@fixed
class Case:
    """All that a decision depends on. `first` is the event this one repeats.

    `trades` are the engine's open ones: at least those that it names (or else all on `symbol`) and that hold the lock.

    `guarded`: why the guards hold an opening back; empty: they do not.
    """

    kind: Kind
    engine: Engine
    side: Side | None
    symbol: str
    sized: bool
    now: datetime
    rules: Rules
    trade_id: str | None = None
    first: int | None = None
    lock: Lock | None = None
    trades: Sequence[Trade] = ()
    guarded: str = ""


@fixed
class Decision:
    """What happens, the answer's HTTP status, why in words, and who holds the lock afterwards."""

    outcome: Outcome
    status: int
    reason: str
    lock: Lock | None
    closes: tuple[Trade, ...] = ()
    marks: tuple[Trade, ...] = ()


def needs_trades(kind: Kind, engine: Engine, side: Side | None) -> bool:
    """False when no open trade can matter, which is the most frequent case."""
    if is_test(engine.name):
        return False
    return kind in ("CLOSE", "UPDATE") or engine.direction == "both" or side is None or not engine.allows(side)


def held(lock: Lock | None, now: datetime, expiry: float) -> Lock | None:
    """The lock, unless it has expired."""
    if lock is None or (expiry > 0 and (now - lock.renewed).total_seconds() >= expiry):
        return None
    return lock


def decide(case: Case) -> Decision:
    """The one place where an alert's fate is settled."""
    lock = held(case.lock, case.now, case.rules.expiry)
    if case.first is not None:
        return repeats(case.first, lock)
    if is_test(case.engine.name):
        return Decision("recorded", 200, "a test engine", lock)
    if case.kind == "CLOSE":
        return _close(case, lock, "no such trade is open")
    if case.kind == "UPDATE":
        return _update(case, lock)
    if case.side is None or not case.engine.allows(case.side):
        return _against(case, lock)
    return _open(case, lock)


def repeats(first: int, lock: Lock | None) -> Decision:
    """Nothing is done twice."""
    return Decision("duplicate", 200, f"repeats event {first}", lock)


def _open(case: Case, lock: Lock | None) -> Decision:
    engine = case.engine
    if engine.aggressive and lock is not None and lock.engine != engine.name:
        return Decision("locked", 409, f"{lock.engine} holds the lock since {lock.since:%Y-%m-%d %H:%M:%S} UTC", lock)
    reversed_ = tuple(trade for trade in _on_symbol(case) if trade.side != case.side)
    if not case.sized:
        if reversed_:
            return Decision("closed", 200, "reversed, and not sized", _left(case, lock, reversed_), reversed_)
        return Decision("recorded", 200, "not sized", lock)
    if case.guarded:
        return _held_back(case, lock, reversed_)
    if engine.aggressive:
        lock = replace(lock, renewed=case.now) if lock else Lock(engine.name, case.now, case.now)
    return Decision("opened", 200, "reversed" if reversed_ else "opened", lock, reversed_)


def _held_back(case: Case, lock: Lock | None, reversed_: tuple[Trade, ...]) -> Decision:
    """A guard keeps nothing open: what a reversal would have closed is closed, and nothing takes its place."""
    if not reversed_:
        return Decision("guarded", 409, case.guarded, lock)
    reason = f"reversed, and held back by {case.guarded}"
    return Decision("closed", 200, reason, _left(case, lock, reversed_), reversed_)


def _against(case: Case, lock: Lock | None) -> Decision:
    """Never opens: it means that the engine wants out, or that an alert is set up wrongly."""
    said = f"{case.engine.name} is {case.engine.direction} only"
    if case.rules.opposite == "reject":
        return Decision("rejected", 400, said, lock)
    if case.kind == "OPEN":
        return Decision("ignored", 200, f"{said}: nothing opened", lock)
    return _close(case, lock, f"{said}, and no trade is open on {case.symbol}")


def _close(case: Case, lock: Lock | None, nothing: str) -> Decision:
    closes = _targets(case)
    if not closes:
        return Decision("ignored", 200, nothing, lock)
    return Decision("closed", 200, f"closed {len(closes)}", _left(case, lock, closes), closes)


def _update(case: Case, lock: Lock | None) -> Decision:
    marks = _targets(case)
    if not marks:
        return Decision("ignored", 200, "no such trade is open", lock)
    return Decision("updated", 200, f"marked {len(marks)}", lock, marks=marks)


def _left(case: Case, lock: Lock | None, closes: tuple[Trade, ...]) -> Lock | None:
    """The lock after `closes`: given back with the last trade that holds it."""
    if lock is None or lock.engine != case.engine.name:
        return lock
    return lock if any(trade.locked and trade not in closes for trade in case.trades) else None


def _targets(case: Case) -> tuple[Trade, ...]:
    if case.trade_id is None:
        return _on_symbol(case)
    return tuple(trade for trade in case.trades if case.trade_id in (trade.trade_id, trade.alias))


def _on_symbol(case: Case) -> tuple[Trade, ...]:
    return tuple(trade for trade in case.trades if trade.symbol == case.symbol)
