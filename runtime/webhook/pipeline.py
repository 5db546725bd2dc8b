"""An alert's way into the store: known already? may it? how large? All of it in the transaction that records it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from runtime import clock, engines, payload, risk
from runtime.engines import Engine
from runtime.payload import Invalid, Json
from runtime.router.decision import Case, Decision, Rules, decide, needs_trades
from runtime.settings import WebhookSettings
from runtime.webhook import events, messages, routing
from runtime.webhook.alert import Alert
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
        if not opening or account is None or not alert.price or not alert.sl or engines.is_test(alert.engine):
            return Sized(alert, engine, None)
        return Sized(alert, engine, risk.quote(account, alert.price, alert.sl, alert.tp, side=side))

    def commit(self, connection: Connection, sized: Sized, now: datetime, origin: Origin) -> Result:
        """Decide and record. The lock is read and written here, so nobody can come between."""
        case = self._case(connection, sized, now)
        made = decide(case)
        event_id = self._record(connection, sized, made, now, origin)
        if sized.engine.aggressive:
            routing.set_lock(connection, case.lock, made.lock, now)
        routing.close_trades(connection, made.closes, event_id)
        told = managed(sized.alert, made, now)
        if made.outcome == "opened":
            told.append(self._open(connection, sized, event_id, now))
        messages.add(connection, event_id, told)
        first = case.first if made.outcome == "duplicate" else None
        return Result(first or event_id, made, made.lock.engine if made.lock else None)

    def _case(self, connection: Connection, sized: Sized, now: datetime) -> Case:
        alert, engine = sized.alert, sized.engine
        first = self._first(connection, sized, now)
        wanted = first is None and needs_trades(alert.kind, engine, alert.side)
        return Case(
            kind=alert.kind,
            engine=engine,
            side=alert.side,
            symbol=alert.symbol,
            sized=sized.opens,
            now=now,
            rules=self.rules,
            trade_id=alert.trade_id,
            first=first,
            lock=routing.lock(connection)[0] if engine.aggressive else None,  # the others neither need nor change it
            trades=routing.open_trades(connection, engine.name) if wanted else (),
        )

    def _first(self, connection: Connection, sized: Sized, now: datetime) -> int | None:
        """The event this one repeats. People press the test button twice: without an id, test alerts never repeat."""
        alert = sized.alert
        if alert.delivery is not None:
            found = events.first(connection, alert.dedupe_key, now, None)
        elif engines.is_test(alert.engine) or not self.dedupe_seconds:
            found = None
        else:
            found = events.first(connection, alert.dedupe_key, now, self.dedupe_seconds)
        if found is None and sized.opens and alert.trade_id is not None:
            return routing.opened_by(connection, alert.engine, alert.trade_id)
        return found

    def _record(self, connection: Connection, sized: Sized, made: Decision, now: datetime, origin: Origin) -> int:
        alert = sized.alert
        quote = sized.quote if made.outcome == "opened" else None
        final = made.status >= 400 or made.outcome == "duplicate"
        return events.add(
            connection,
            alert.payload(),
            clock.iso(now),
            origin,
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

    def _open(self, connection: Connection, sized: Sized, event_id: int, now: datetime) -> Json:
        """Keep the virtual trade, and say what the ledger is told of it. Its quantity is in the underlying's units."""
        alert, quote = sized.alert, sized.quote
        assert quote is not None  # noqa: S101 - only what is sized opens
        name = alert.trade_id or f"{now:%Y%m%dT%H%M%S}-{event_id}"
        if alert.trade_id is not None and routing.is_used(connection, name):
            name = f"{name[:100]}-{now:%Y%m%dT%H%M%S}-{event_id}"
        same: Json = {"trade_id": name, "engine": alert.engine, "symbol": alert.symbol, "side": quote.side}
        same |= {"entry": alert.price, "stop": alert.sl, "qty": quote.size}
        locked = sized.engine.aggressive
        routing.add_trade(connection, **same, alias=alert.trade_id, opened_by=event_id, locked=locked)
        meta = {
            "tf": alert.tf,
            "tp": alert.tp,
            "reason": alert.reason[:LONGEST_KEPT],
            "src": "/tv",
            "event_id": event_id,
        }
        told = {"type": "OPEN", **same, "risk_usd": quote.risk_real_usd, "ts": clock.iso(now)}
        return told | {"meta": meta | {"event_id": event_id, "qty": quote.qty}}


def managed(alert: Alert, made: Decision, now: datetime) -> list[Json]:
    """What the ledger is told of trades that end or are marked: at the alert's own level, else its price."""
    level, ts = alert.level or alert.price, clock.iso(now)
    ends = [{"type": "CLOSE", "trade_id": trade.trade_id, "exit": level, "ts": ts} for trade in made.closes]
    return ends + [{"type": "UPDATE", "trade_id": trade.trade_id, "mark": level, "ts": ts} for trade in made.marks]


def record_invalid(connection: Connection, data: Json, error: Invalid, ts: str, origin: Origin) -> int:
    """Keep a refusal of a caller who knew the key: its field, why, and what can be shown of what was sent."""
    row: Json = {name: _text(data.get(name)) for name in ("engine", "signal", "symbol", "tf", "reason")}
    row |= {"price": None, "tp": None, "sl": None, "field": _text(error.field), "body": _body(data)}
    found: dict[str, Any] = {"outcome": "invalid", "status": 400, "reason_text": _text(str(error), 300)}
    return events.add(connection, row, ts, origin, **found)


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
