"""`python -m quant.live RUN`: the ledger's trades beside a backtest's."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from quant import cli, runs, showing
from quant.config import Config, load
from quant.errors import NoData
from quant.live import ledger
from quant.live.trade import Matched, Pair, Trade, match, summary
from quant.report import tables
from quant.timeframe import Timeframe

NEAR = 2
"""Bars between two entries that are still the same trade."""


def parser() -> cli.Parser:
    made = cli.Parser(prog="python -m quant.live", description="Put the ledger's trades beside the backtest's.")
    made.add_argument("run", help="its run id")
    made.add_argument("--url", default="", help="of the perf service (default: this machine's)")
    made.add_argument("--engine", default="", help="whose trades (default: the run's strategy)")
    made.add_argument("--ledger", type=Path, help="the service's CSV export instead")
    made.add_argument("--json", action="store_true", help="as JSON")
    return made


def run(given: argparse.Namespace) -> int:
    folder = runs.find(given.run)
    config = load(folder / "config.yaml")
    engine = given.engine or config.strategy.name.upper()
    text = ledger.read(given.ledger) if given.ledger else ledger.fetched(given.url, engine)
    found = beside(ledger.closed(text, engine, config.data.symbol), tested(folder), config, bars(folder, config))
    if given.json:
        showing.put({"run_id": folder.name, "engine": engine, **summary(found), "trades": _rows(found)})
    else:
        _show(folder.name, engine, found)
    return 0


def beside(live: list[Trade], backtest: list[Trade], config: Config, period: tuple[int, int]) -> Matched:
    """Of the time that both have: the bars of the run, and from the ledger's first trade to its last.

    Raises NoData when that is nothing.
    """
    near = NEAR * Timeframe.of(config.data.timeframe).ms
    first, last = period
    live = [trade for trade in live if first <= trade.opened <= last]
    if not live:
        raise NoData(
            "no trade of the ledger was opened while the backtest lasts", hint="fetch newer candles, run again"
        )
    begin, end = live[0].opened - near, live[-1].opened + near
    return match(live, [trade for trade in backtest if begin <= trade.opened <= end], near)


def tested(folder: Path) -> list[Trade]:
    """A run's trades. Raises NoData when it has none: a sweep, a walk."""
    try:
        rows = list(tables.read_trades(folder / "trades.csv"))
    except FileNotFoundError:
        raise NoData(f"{folder.name} has no trades.csv", hint="only a backtest has one") from None
    names = ("side", "entry_time", "exit_time", "entry", "exit", "r")
    return [Trade(*(row[name] for name in names)) for row in rows]


def bars(folder: Path, config: Config) -> tuple[int, int]:
    """When the first bar opens and the last one closes, ms."""
    time, _, _ = tables.read_equity(folder / "equity.parquet")
    return int(time[0]), int(time[-1]) + Timeframe.of(config.data.timeframe).ms


def _rows(found: Matched) -> list[dict[str, object]]:
    rows = [{"live": _told(pair.live), "backtest": _told(pair.tested), **_differences(pair)} for pair in found.pairs]
    rows += [{"live": _told(trade), "backtest": None} for trade in found.only_live]
    return rows + [{"live": None, "backtest": _told(trade)} for trade in found.only_tested]


def _told(trade: Trade) -> dict[str, object]:
    return {
        "trade_id": trade.name or None,
        "side": trade.side,
        "opened": tables.stamp(trade.opened),
        "closed": tables.stamp(trade.closed),
        "entry": trade.entry,
        "exit": trade.exit,
        "R": _known(trade.r),
    }


def _differences(pair: Pair) -> dict[str, object]:
    return {
        "late_seconds": pair.late,
        "entry_difference": pair.entry,
        "exit_difference": pair.exit,
        "cost": pair.cost,
        "R_difference": _known(pair.r),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _show(name: str, engine: str, found: Matched) -> None:
    heads = ("entry", "side", "live", "backtest", "exit live", "backtest", "R live", "backtest", "difference")
    rows = [_line(pair.live, pair.tested) for pair in found.pairs]
    rows += [_line(trade, None) for trade in found.only_live]
    rows += [_line(None, trade) for trade in found.only_tested]
    showing.table(f"{engine} live, beside {name}", heads, rows)
    told = [
        (label.replace("_", " "), "-" if value is None else f"{value:.6g}") for label, value in summary(found).items()
    ]
    showing.table("", ("", ""), told)


def _line(live: Trade | None, backtest: Trade | None) -> tuple[str, ...]:
    one = live or backtest
    if one is None:
        return ()
    both = [(a, b) for a, b in ((live, backtest),) if a and b]
    difference = _figure(both[0][0].r - both[0][1].r) if both else "-"
    cells = [
        _figure(getattr(trade, name)) if trade else "-" for name in ("entry", "exit", "r") for trade in (live, backtest)
    ]
    return (tables.stamp(one.opened)[:16].replace("T", " "), one.side, *cells, difference)


def _figure(value: float) -> str:
    return f"{value:,.6g}" if math.isfinite(value) else "-"


if __name__ == "__main__":
    sys.exit(cli.main(parser(), run))
