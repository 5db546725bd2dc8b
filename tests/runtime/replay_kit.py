"""What the stored alerts must have led to: each is read again and decided again, one by one, without any database."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime import clock, engines
from runtime.router.decision import Case, Decision, Lock, Rules, Trade, decide
from runtime.settings import WebhookSettings
from runtime.webhook.alert import Alert, read
from runtime.webhook.pipeline import Pipeline, Sized


@dataclass
class Replay:
    """The router's memory as plain values. `step` takes the events in the order of their ids."""

    settings: WebhookSettings
    lock: Lock | None = None
    trades: dict[str, list[Trade]] = field(default_factory=dict)
    seen: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    opened_by: dict[tuple[str, str], int] = field(default_factory=dict)
    renamed: dict[int, str] = field(default_factory=dict)

    def step(self, row: sqlite3.Row) -> Decision:
        """What the router should have decided about this event."""
        sized, now = Pipeline(self.settings).size(read(json.loads(row["payload"]))), clock.from_iso(row["ts"])
        made = decide(self._case(sized, now))
        if sized.engine.aggressive:
            self._set_lock(made.lock)
        self._close(sized.alert, made)
        if made.status < 400 and made.outcome != "duplicate":
            self.seen[sized.alert.dedupe_key] = (row["id"], now)
        if made.outcome == "opened":
            self._open(sized, row["id"])
        return made

    def _case(self, sized: Sized, now: datetime) -> Case:
        alert, engine = sized.alert, sized.engine
        found = {"first": self._first(sized, now), "lock": self.lock if engine.aggressive else None}
        rules = Rules(self.settings.opposite, self.settings.lock_expiry)
        told: dict[str, Any] = {"kind": alert.kind, "engine": engine, "side": alert.side, "symbol": alert.symbol}
        told |= {"sized": sized.opens, "now": now, "rules": rules, "trade_id": alert.trade_id}
        return Case(**told, **found, trades=tuple(self.trades.get(engine.name, ())))

    def _first(self, sized: Sized, now: datetime) -> int | None:
        alert = sized.alert
        event_id, ts = self.seen.get(alert.dedupe_key, (None, now))
        if alert.delivery is None:
            known = not engines.is_test(alert.engine) and self.settings.dedupe_seconds
            if not known or abs((now - ts).total_seconds()) > self.settings.dedupe_seconds:
                event_id = None
        if event_id is None and sized.opens and alert.trade_id is not None:
            return self.opened_by.get((alert.engine, alert.trade_id))
        return event_id

    def _set_lock(self, after: Lock | None) -> None:
        if self.lock is None or after is None or self.lock.since != after.since:
            for trades in self.trades.values():
                trades[:] = [Trade(t.trade_id, t.symbol, t.side, False, t.alias) for t in trades]
        self.lock = after

    def _close(self, alert: Alert, made: Decision) -> None:
        gone = {trade.trade_id for trade in made.closes}
        mine = self.trades.setdefault(alert.engine, [])
        mine[:] = [trade for trade in mine if trade.trade_id not in gone]
        for trade in made.closes:
            self.opened_by.pop((alert.engine, trade.alias or ""), None)

    def _open(self, sized: Sized, event_id: int) -> None:
        alert, position = sized.alert, sized.position
        assert position is not None
        trade = Trade(f"by {event_id}", alert.symbol, position.side, sized.engine.aggressive, alert.trade_id)
        self.trades.setdefault(alert.engine, []).append(trade)
        if alert.trade_id is not None:
            self.opened_by[alert.engine, alert.trade_id] = event_id
