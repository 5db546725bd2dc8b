"""Hand-drawn candles, read from tables: the bars, what is wanted at each close, and the trades that must come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quant.engine import Reason, Result, Trades
from tests.quant.engine import kit

SIDES = {"L": 1, "S": -1, ".": 0}
BARS = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Table:
    """`bars`: columns open, high, low, close, side (L, S, . for none), and if wanted stop, target (distances that the
    strategy gives) and equity (what must come out). `trades`: any columns of Trades. One of the quantity, no costs, no
    leverage limit, unless `settings` say otherwise. `funding`: rates by the bar that opens then.
    """

    says: str
    bars: str
    trades: str
    settings: dict[str, Any] = field(default_factory=dict)
    funding: dict[float, float] = field(default_factory=dict)
    refused: int = 0


@dataclass(frozen=True)
class Funding:
    time: Any
    rate: Any


def played(table: Table) -> Result:
    given = columns(table.bars)
    bars = kit.candles(list(zip(*([float(cell) for cell in given[name]] for name in BARS), strict=True)))
    settings = kit.config(**({"sizing": {"mode": "quantity", "quantity": 1}} | table.settings))
    distances = {name: [float(cell) for cell in given[name]] for name in ("stop", "target") if name in given}
    wanted = kit.signals([SIDES[cell] for cell in given["side"]], **distances)
    moments = np.array([int(bar * kit.QUARTER.ms) for bar in table.funding], np.int64)
    funding = Funding(moments, np.array(list(table.funding.values()), float))
    return kit.simulated(bars, wanted, settings, tick=1.0, funding=funding)


def columns(text: str) -> dict[str, list[str]]:
    head, *rows = [line.split() for line in text.strip().splitlines()]
    assert all(len(row) == len(head) for row in rows), text
    return {name: [row[place] for row in rows] for place, name in enumerate(head)}


def told(name: str, cell: str) -> float:
    """A cell as the number that Trades has."""
    if name == "side":
        return SIDES[cell]
    return Reason[cell] if name == "reason" else float(cell)


def check(table: Table) -> None:
    result = played(table)
    for name, cells in columns(table.trades).items():
        found = getattr(result.trades, name)
        np.testing.assert_allclose(
            found, [told(name, cell) for cell in cells], 1e-9, 1e-9, err_msg=shown(result.trades)
        )
    if "equity" in (given := columns(table.bars)):
        np.testing.assert_allclose(result.equity, [float(cell) for cell in given["equity"]], 1e-9)
    assert result.refused == table.refused


def shown(trades: Trades) -> str:
    return "\n".join(f"{name}: {getattr(trades, name)}" for name in Trades.__annotations__)
