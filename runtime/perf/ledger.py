"""The three ways a trade changes. Each runs inside one transaction, together with the figures that follow from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from runtime.payload import Json
from runtime.perf import aggregates, arithmetic
from runtime.perf.aggregates import Part, Trade
from runtime.perf.bucket import Finished
from runtime.perf.event import Close, Event, Open, Update
from runtime.perf.tables import closings, history, marks, receipts, trades

# Parts are sums of decimal fractions: what is left within this share of the whole is nothing.
_DUST = 1e-9


class Refused(Exception):
    """The ledger's state does not allow the event: HTTP `status` 404 or 409, and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rules:
    """How the ledger is kept. `reversal` close: an OPEN first closes the engine's opposite trades on the symbol."""

    equity0: float
    reversal: str = "keep"


def apply(connection: Connection, event: Event, rules: Rules) -> Json:
    """Record the event; returns what is answered. Raises Refused, leaving nothing behind.

    An event whose id was accepted before changes nothing and is answered as the first one was. A refusal is not kept:
    an event that came too early may be sent again.
    """
    if event.event_id is None:
        return _apply(connection, event, rules)
    kept = connection.execute(select(receipts.c.answer).where(receipts.c.event_id == event.event_id)).scalar()
    if kept is not None:
        return dict(json.loads(kept))
    answer = _apply(connection, event, rules)
    connection.execute(insert(receipts), {"event_id": event.event_id, "answer": json.dumps(answer)})
    return answer


def _apply(connection: Connection, event: Event, rules: Rules) -> Json:
    match event:
        case Open():
            return _open(connection, event, rules)
        case Close():
            return _close(connection, event, rules)
        case Update():
            return _update(connection, event, rules)


def _open(connection: Connection, event: Open, rules: Rules) -> Json:
    """Opening the same id again while it is open changes nothing: the first one stands."""
    found = _find(connection, event.trade_id)
    if found is not None and found.status == "CLOSED":
        raise Refused(409, f"trade {event.trade_id} is already closed")
    answer: Json = {"ok": True, "trade_id": event.trade_id, "existing": found is not None}
    if found is not None:
        return answer
    reversed_ = _reverse(connection, event, rules)
    _begin(connection, event, rules)
    return answer | {"reversed": reversed_} if reversed_ else answer


def _begin(connection: Connection, event: Open, rules: Rules) -> None:
    position = arithmetic.Position(event.side, event.entry, event.contract, event.contract_value)
    row = asdict(event) | {"status": "OPEN", "opened_ts": event.ts, "meta": json.dumps(event.meta)}
    row["risk_usd"] = arithmetic.risk(position, event.stop, event.qty, event.risk_usd)
    del row["ts"], row["event_id"]
    connection.execute(insert(trades), row)
    at_risk = arithmetic.open_risk(row["risk_usd"], event.qty)
    aggregates.opened(connection, Trade(event.engine, event.symbol, event.ts), at_risk, rules.equity0)
    _remember(connection, event, event.trade_id, rules)


def _reverse(connection: Connection, event: Open, rules: Rules) -> list[Json]:
    """Close what the engine holds the other way on the symbol, at the new trade's entry; what each close answered."""
    if rules.reversal != "close":
        return []
    against = [row for row in _of(connection, event.engine, event.symbol) if row.side != event.side]
    return [_close(connection, Close(row.trade_id, event.entry, event.ts), rules) for row in against]


def _close(connection: Connection, event: Close, rules: Rules) -> Json:
    trade = _target(connection, event)
    left = trade.qty - trade.qty_closed
    part = _part(trade, event.qty, left)
    profit = arithmetic.pnl(_position(trade), event.exit_price, part)
    sequence = _remember(connection, replace(event, trade_id=trade.trade_id), trade.trade_id, rules)
    changed = _closed(trade, event, part, profit) | _seen(trade, event.exit_price)
    if part == left:
        changed |= _ended(trade, event, changed["pnl"], sequence)
    connection.execute(update(trades).where(trades.c.id == trade.id).values(changed))
    _add_closing(connection, trade, event, sequence, part, profit)
    _add_figures(connection, trade, event, profit, changed, rules)
    return _answer(trade, event, part, profit, changed)


def _answer(trade: Row[Any], event: Close, part: float, profit: float, changed: Json) -> Json:
    """`pnl` and `r` are what the trade has realised so far; the part's own figures are told when one was asked for."""
    multiple = arithmetic.r_multiple(changed["pnl"], trade.risk_usd)
    answer: Json = {"ok": True, "trade_id": trade.trade_id, "pnl": changed["pnl"], "r": multiple}
    if event.qty is None:
        return answer
    return answer | {"part": {"qty": part, "pnl": profit}, "remaining": trade.qty - changed["qty_closed"]}


def _part(trade: Row[Any], wanted: float | None, left: float) -> float:
    """How much of the trade is closed now; `left` itself when that is all. Raises Refused."""
    if wanted is None or abs(wanted - left) <= _DUST * trade.qty:
        return left
    if wanted > left:
        raise Refused(409, f"trade {trade.trade_id} has only {left:g} open")
    return wanted


def _closed(trade: Row[Any], event: Close, part: float, profit: float) -> Json:
    position, before = _position(trade), trade.qty_closed
    gained = arithmetic.coins(position, event.exit_price, part)
    return {
        "exit": arithmetic.mean_price(trade.exit or 0.0, before, event.exit_price, part),
        "pnl": (trade.pnl or 0.0) + profit,
        "pnl_coin": None if gained is None else (trade.pnl_coin or 0.0) + gained,
        "qty_closed": before + part,
    }


def _ended(trade: Row[Any], event: Close, profit: float, sequence: int) -> Json:
    multiple = arithmetic.r_multiple(profit, trade.risk_usd)
    done = {"status": "CLOSED", "r": multiple, "closed_ts": event.ts, "close_seq": sequence}
    return done | {"qty_closed": trade.qty}


def _add_closing(
    connection: Connection, trade: Row[Any], event: Close, sequence: int, part: float, profit: float
) -> None:
    count, total = aggregates.last_closing(connection)
    row = {"seq": sequence, "trade": trade.id, "ts": event.ts, "price": event.exit_price, "qty": part, "pnl": profit}
    connection.execute(insert(closings), row | {"n": count + 1, "total": total + profit})


def _add_figures(
    connection: Connection, trade: Row[Any], event: Close, profit: float, changed: Json, rules: Rules
) -> None:
    finished = None
    if "close_seq" in changed:
        mae, mfe = (changed["mae"], changed["mfe"]) if trade.marks else (None, None)
        finished = Finished(changed["pnl"], changed["r"], mae, mfe, trade.risk_usd)
    whose = Trade(trade.engine, trade.symbol, trade.opened_ts)
    before, after = (
        arithmetic.open_risk(trade.risk_usd, trade.qty, done) for done in (trade.qty_closed, changed["qty_closed"])
    )
    aggregates.closed(connection, Part(whose, event.ts, profit, finished, before - after), rules.equity0)


def _update(connection: Connection, event: Update, rules: Rules) -> Json:
    trade = _opened(connection, event.trade_id)
    changed = _seen(trade, event.mark) | {"mark": event.mark, "marks": trade.marks + 1}
    connection.execute(update(trades).where(trades.c.id == trade.id).values(changed))
    sequence = _remember(connection, event, trade.trade_id, rules)
    connection.execute(insert(marks), {"seq": sequence, "trade": trade.id, "ts": event.ts, "price": event.mark})
    return {"ok": True, "trade_id": event.trade_id, "mark": event.mark}


def _seen(trade: Row[Any], price: float) -> Json:
    """The furthest that the price went against the trade (MAE) and with it (MFE): >= 0, money, for its whole size."""
    moved = arithmetic.pnl(_position(trade), price, trade.qty)
    return {"mae": max(trade.mae, -moved), "mfe": max(trade.mfe, moved)}


def _position(trade: Row[Any]) -> arithmetic.Position:
    return arithmetic.Position(trade.side, trade.entry, trade.contract, trade.contract_value)


def _target(connection: Connection, event: Close) -> Row[Any]:
    """The trade named, else the only one open of the engine on the symbol. Raises Refused."""
    if event.trade_id is not None:
        return _opened(connection, event.trade_id)
    found = _of(connection, str(event.engine), str(event.symbol))
    if not found:
        raise Refused(404, f"no open trade of {event.engine} on {event.symbol}")
    if len(found) > 1:
        raise Refused(409, f"{len(found)} trades of {event.engine} on {event.symbol} are open: say which by trade_id")
    return found[0]


def _opened(connection: Connection, trade_id: str) -> Row[Any]:
    trade = _find(connection, trade_id)
    if trade is None:
        raise Refused(404, f"no trade {trade_id}")
    if trade.status == "CLOSED":
        raise Refused(409, f"trade {trade_id} is already closed")
    return trade


def _find(connection: Connection, trade_id: str) -> Row[Any] | None:
    return connection.execute(select(trades).where(trades.c.trade_id == trade_id)).first()


def _of(connection: Connection, engine: str, symbol: str) -> list[Row[Any]]:
    """The engine's open trades on a symbol, oldest first."""
    wanted = select(trades).where(trades.c.status == "OPEN", trades.c.engine == engine, trades.c.symbol == symbol)
    return list(connection.execute(wanted.order_by(trades.c.id)))


def _remember(connection: Connection, event: Event, trade_id: str, rules: Rules) -> int:
    """Keep the event as it came; returns its number, the order in which all things happened."""
    row = {"ts": event.ts, "type": type(event).__name__.upper(), "trade_id": trade_id}
    row["body"] = json.dumps(asdict(event))
    sequence = int(connection.execute(insert(history).returning(history.c.id), row).scalar_one())
    aggregates.stamp(connection, rules.equity0, sequence)
    return sequence
