"""Virtual trades as they are kept, what they came to, and what the ledger is told of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from runtime import clock, risk
from runtime.payload import Json
from runtime.router.decision import Case, Trade
from runtime.webhook.alert import Alert

LONGEST_KEPT = 2000


def trade(name: str, alert: Alert, position: risk.Position, ts: str, *, locked: bool) -> Trade:
    """The trade that an alert opens at `ts`. Its quantity is in the underlying's units."""
    return Trade(
        trade_id=name,
        symbol=alert.symbol,
        side=position.side,
        locked=locked,
        alias=alert.trade_id,
        entry=alert.price or 0.0,
        stop=alert.sl or 0.0,
        tp=alert.tp,
        qty=position.size,
        risk_usd=position.risk_real_usd,
        opened_ts=ts,
    )


def opened(trade: Trade, alert: Alert, qty: float, event_id: int) -> Json:
    """`qty` is in the units that the account trades."""
    return {
        "type": "OPEN",
        "trade_id": trade.trade_id,
        "engine": alert.engine,
        "symbol": alert.symbol,
        "side": trade.side,
        "entry": trade.entry,
        "stop": trade.stop,
        "qty": trade.qty,
        "risk_usd": trade.risk_usd,
        "ts": trade.opened_ts,
        "meta": {
            "tf": alert.tf,
            "tp": alert.tp,
            "reason": alert.reason[:LONGEST_KEPT],
            "src": "/tv",
            "event_id": event_id,
            "qty": qty,
        },
    }


def closed(trade: Trade, level: float, now: datetime) -> Json:
    return {"type": "CLOSE", "trade_id": trade.trade_id, "exit": level, "ts": clock.iso(now)}


def marked(trades: Iterable[Trade], level: float | None, now: datetime) -> list[Json]:
    return [{"type": "UPDATE", "trade_id": trade.trade_id, "mark": level, "ts": clock.iso(now)} for trade in trades]


def end(trade: Trade, level: float, why: str, now: datetime) -> Json:
    """What closing `trade` at `level` earned, in USD and in R. See `runtime.risk` for inverse contracts."""
    pnl = trade.qty * (level - trade.entry) * (1 if trade.side == "LONG" else -1)
    risked = trade.risk_usd or trade.qty * abs(trade.entry - trade.stop)
    done = {"exit": level, "pnl": pnl, "r": pnl / risked if risked else None}
    return done | {"closed_ts": clock.iso(now), "closed_why": why}


def why(case: Case) -> str:
    """Why an alert closed what it closed."""
    if case.kind == "CLOSE":
        return "close"
    return "opposite" if case.side is None or not case.engine.allows(case.side) else "reversed"
