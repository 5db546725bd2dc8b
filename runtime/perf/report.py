"""What the ledger adds up to. Nothing here takes longer as trades grow, open or closed, but the equity's points."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, text

from runtime.payload import Json
from runtime.perf import aggregates, bucket
from runtime.perf.bucket import Bucket
from runtime.perf.tables import closings, days, history

DIMENSIONS = ("engine", "symbol", "session", "hour", "weekday")


def summary(connection: Connection, equity0: float) -> Json:
    """The ledger in short. Averages and rates over nothing are null; drawdowns are amounts >= 0.

    `pnl_realized` counts what partial closes have realised too; rates and `avg_r` are over trades that closed.
    """
    whole, engines = aggregates.whole(connection, equity0), aggregates.read(connection, "engine")
    return {
        "equity0": equity0,
        "total_trades": whole.total,
        "closed_trades": whole.closed,
        "open_trades": whole.total - whole.closed,
        "winrate_pct": bucket.winrate(whole),
        "avg_r": bucket.average_r(whole),
        "pnl_realized": whole.curve.total,
        "equity_last": whole.curve.equity,
        "max_dd": whole.curve.amount,
        "max_dd_pct": whole.curve.percent,
        "open_risk_by_engine": {name: bucket.open_risk(one) for name, one in engines.items() if one.at_risk},
        "engines": {name: _engine(one) for name, one in engines.items()},
        "last_event_ts": connection.execute(_last_event()).scalar(),
    }


def kpi(connection: Connection, equity0: float, by: str | None, last_days: int) -> Json:
    """Every KPI of all trades and, with `by`, of each group; the profit of the last days that had a closing."""
    groups = aggregates.read(connection, by) if by else {}
    return {
        "by": by,
        "all": bucket.figures(aggregates.whole(connection, equity0)),
        "groups": {name: bucket.figures(one) for name, one in groups.items()},
        "calendar": calendar(connection, last_days),
    }


def calendar(connection: Connection, last_days: int) -> list[Json]:
    """By UTC day of the closing, oldest first: `pnl` realised, trades `closed`, of them `wins`. No empty days."""
    rows = connection.execute(select(days).order_by(days.c.day.desc()).limit(last_days)).all()
    return [dict(row._mapping) for row in reversed(rows)]


def _engine(one: Bucket) -> Json:
    return {
        "total": one.total,
        "closed": one.closed,
        "wins": one.wins,
        "pnl": one.curve.total,
        "avg_r": bucket.average_r(one),
        "open_risk": bucket.open_risk(one),
        "winrate": bucket.winrate(one),
    }


def equity(connection: Connection, equity0: float, points: int | None = None) -> Json:
    """`{"series": [{"ts", "equity"}], "dd": {"max_dd", "max_dd_pct"}}`: a point after each closing, or about `points`.

    Fewer points keep the first, the last, and the lowest and highest of each stretch between, so every peak and trough
    that a chart can show is there. The drawdown is that of all closings.
    """
    curve = aggregates.whole(connection, equity0).curve
    count, _ = aggregates.last_closing(connection)
    if points is None or count <= points:
        rows = connection.execute(select(closings.c.ts, closings.c.total).order_by(closings.c.n))
    else:
        rows = connection.execute(_SOME, {"count": count, "stretches": (points - 2) // 2})
    series = [{"ts": row.ts, "equity": equity0 + row.total} for row in rows]
    return {"series": series, "dd": {"max_dd": curve.amount, "max_dd_pct": curve.percent}}


# The closings are cut into stretches of equal length, and each is looked through once in the order of the index; to
# group them instead would sort them all, and takes twice as long.
_SOME: Any = text("""
    WITH RECURSIVE
      cut(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM cut WHERE i + 1 < :stretches),
      stretch(a, b) AS (SELECT 1 + i * :count / :stretches, (i + 1) * :count / :stretches FROM cut
        WHERE :stretches > 0)
    SELECT ts, total FROM closings WHERE n IN (
      SELECT 1 UNION SELECT :count
      UNION SELECT (SELECT n FROM closings WHERE n BETWEEN a AND b ORDER BY total LIMIT 1) FROM stretch
      UNION SELECT (SELECT n FROM closings WHERE n BETWEEN a AND b ORDER BY total DESC LIMIT 1) FROM stretch)
    ORDER BY n""")


def _last_event() -> Any:
    return select(history.c.ts).order_by(history.c.id.desc()).limit(1)
