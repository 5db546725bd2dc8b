"""What the ledger adds up to: the summary, the equity curve, lists of trades."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, case, func, select

from runtime.payload import Json
from runtime.perf import arithmetic
from runtime.perf.ledger import history, trades

_closed = trades.c.status == "CLOSED"
_opened = trades.c.status == "OPEN"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which trades to list; None means any."""

    engine: str | None = None
    status: str | None = None
    symbol: str | None = None


def summary(connection: Connection, equity0: float) -> Json:
    """Every figure of the ledger. Averages and rates over nothing are null; drawdowns are amounts >= 0."""
    engines = _engines(connection)
    values = arithmetic.equity(equity0, [row.pnl for row in _closings(connection)])
    fall = arithmetic.drawdown(equity0, values)
    total = connection.execute(_totals()).one()
    return {
        "equity0": equity0,
        "total_trades": total.total,
        "closed_trades": total.closed,
        "open_trades": total.total - total.closed,
        "winrate_pct": _percent(total.wins, total.closed),
        "avg_r": total.avg_r,
        "pnl_realized": total.pnl,
        "equity_last": values[-1] if values else equity0,
        "max_dd": fall.amount,
        "max_dd_pct": fall.percent,
        "open_risk_by_engine": {name: one["open_risk"] for name, one in engines.items() if one["open_risk"]},
        "engines": engines,
        "last_event_ts": connection.execute(_last_event()).scalar(),
    }


def equity(connection: Connection, equity0: float) -> Json:
    """`{"series": [{"ts", "equity"}], "dd": {"max_dd", "max_dd_pct"}}`, one point for each closed trade."""
    closings = _closings(connection)
    values = arithmetic.equity(equity0, [row.pnl for row in closings])
    fall = arithmetic.drawdown(equity0, values)
    series = [{"ts": row.closed_ts, "equity": value} for row, value in zip(closings, values, strict=True)]
    return {"series": series, "dd": {"max_dd": fall.amount, "max_dd_pct": fall.percent}}


def listing(connection: Connection, wanted: Filter, limit: int) -> list[Json]:
    """The newest `limit` trades that match, newest first."""
    query = select(trades).order_by(trades.c.id.desc()).limit(limit)
    for name in ("engine", "status", "symbol"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(trades.c[name] == value)
    return [_trade(row) for row in connection.execute(query)]


def _trade(row: Row[Any]) -> Json:
    shown = dict(row._mapping)
    del shown["id"], shown["close_seq"]
    return shown | {"meta": json.loads(row.meta)}


def _totals(*by: Any) -> Any:
    return select(
        *by,
        func.count().label("total"),
        func.count().filter(_closed).label("closed"),
        func.count().filter(_closed, trades.c.pnl > 0).label("wins"),
        func.coalesce(func.sum(trades.c.pnl), 0.0).label("pnl"),
        func.avg(trades.c.r).label("avg_r"),
        func.coalesce(func.sum(case((_opened, trades.c.risk_usd))), 0.0).label("open_risk"),
    )


def _engines(connection: Connection) -> dict[str, Json]:
    rows = connection.execute(_totals(trades.c.engine).group_by(trades.c.engine).order_by(trades.c.engine))
    return {row.engine: _engine(row) for row in rows}


def _engine(row: Row[Any]) -> Json:
    shown = {name: getattr(row, name) for name in ("total", "closed", "wins", "pnl", "avg_r", "open_risk")}
    return shown | {"winrate": _percent(row.wins, row.closed)}


def _closings(connection: Connection) -> list[Row[Any]]:
    query = select(trades.c.closed_ts, trades.c.pnl).where(trades.c.close_seq.is_not(None)).order_by(trades.c.close_seq)
    return list(connection.execute(query))


def _last_event() -> Any:
    return select(history.c.ts).order_by(history.c.id.desc()).limit(1)


def _percent(part: int, whole: int) -> float | None:
    return 100.0 * part / whole if whole else None
