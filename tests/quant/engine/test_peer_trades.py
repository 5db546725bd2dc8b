"""The same trades as backtesting.py and vectorbt, bar for bar and to 1e-9, on the series that backtesting.py ships.

The last two bars are left flat. At the end of the data we close at the last close; backtesting.py closes at the last
bar's open, which was before its signal; vectorbt leaves the position open.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quant.candles import Candles
from quant.engine import Reason, Result
from quant.indicators import View
from quant.strategy import Signals
from quant.ticks import tick_of
from quant.timeframe import Timeframe
from tests.quant import peers
from tests.quant.engine import kit

SERIES = {"EURUSD": ("1h", 20, 60, 1000), "GOOG": ("1d", 10, 30, 5), "BTCUSD": ("1w", 3, 8, 1)}
"""Timeframe, both averages, and the quantity. BTCUSD is monthly: its times are not looked at here."""
NAMES = ("side", "quantity", "entry_bar", "exit_bar", "entry", "exit", "pnl")
FEE, SLIPPAGE = 0.0015, 0.0007
CASH = 1e7


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    return peers.ask("shipped_data", list(SERIES))


@pytest.fixture(scope="module")
def cases(shipped: dict[str, Any]) -> list[dict[str, Any]]:
    return [case(name, columns) for name, columns in shipped.items()]


def case(name: str, columns: dict[str, Any]) -> dict[str, Any]:
    timeframe, fast, slow, quantity = SERIES[name]
    bars = Candles(
        "shipped", name, Timeframe.of(timeframe), np.array(columns["time"]),
        *(np.array(columns[column]) for column in ("open", "high", "low", "close")), np.ones(len(columns["time"])),
    )  # fmt: skip
    side = View(bars, tick_of(bars)).averages_side(fast, slow).copy()
    side[-2:] = 0
    return columns | {"name": name, "bars": bars, "side": side, "quantity": quantity, "fee": FEE, "cash": CASH}


def given(case: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What goes through JSON."""
    found = {name: value for name, value in (case | more).items() if name != "bars"}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


def ours(case: dict[str, Any], wanted: Signals, **sections: Any) -> Result:
    costs = {"taker_fee": FEE} | sections.pop("costs", {})
    sizing = {"mode": "quantity", "quantity": case["quantity"]}
    settings = kit.config(account={"equity": CASH}, sizing=sizing, costs=costs, **sections)
    return kit.simulated(case["bars"], wanted, settings)


def same(result: Result, peer: dict[str, Any]) -> None:
    order = np.lexsort((peer["entry_bar"], peer["exit_bar"]))
    assert len(result.trades) == len(order) > 10
    for name in NAMES:
        found = getattr(result.trades, name)
        np.testing.assert_allclose(found, np.array(peer[name])[order], 1e-9, 1e-7, err_msg=name)


def levels(case: dict[str, Any], stop: float, target: float) -> tuple[dict[str, Any], Signals]:
    """The case with prices of a stop and a target that count from the signal's close, and our signals for it: distances
    from the fill. Where the next open is beyond either, which cannot be when they count from the fill, nothing is
    wanted.
    """
    close, fill = case["bars"].close, np.append(case["bars"].open[1:], 1)
    gap = case["side"] * (fill / close - 1)
    side = without(case["side"], (gap <= -stop) | (gap >= target))
    prices = {"stop": close * (1 - side * stop), "target": close * (1 + side * target)}
    away = {name: np.where(side == 0, np.nan, np.abs(fill - price)) for name, price in prices.items()}
    return case | prices | {"side": side}, Signals(side, **away)


@pytest.fixture(scope="module")
def levelled(cases: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Signals]]:
    sizes = {"EURUSD": (0.003, 0.005), "GOOG": (0.04, 0.06), "BTCUSD": (0.3, 0.4)}
    return [levels(one, *sizes[one["name"]]) for one in cases]


@pytest.fixture(scope="module")
def backtesting_py(cases: list[dict[str, Any]], levelled: list[tuple[dict[str, Any], Signals]]) -> list[Any]:
    """Of the cases, then of those with stops and targets: starting it takes longer than all of them."""
    return peers.ask("backtesting_trades", [given(one) for one in [*cases, *(one for one, _ in levelled)]])


@pytest.fixture(scope="module")
def calmed(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    parts = {"EURUSD": 0.003, "GOOG": 0.04, "BTCUSD": 0.3}
    return [calm(one, parts[one["name"]]) for one in cases]


@pytest.fixture(scope="module")
def vectorbt(cases: list[dict[str, Any]], calmed: list[dict[str, Any]]) -> list[Any]:
    """Of the cases with slippage, then of those with stops."""
    return peers.ask("vectorbt_trades", [*(given(one, slippage=SLIPPAGE) for one in cases), *map(given, calmed)])


def test_reversals_with_fees_are_backtesting_py_s(cases: list[dict[str, Any]], backtesting_py: list[Any]) -> None:
    for one, peer in zip(cases, backtesting_py, strict=False):
        result = ours(one, Signals(one["side"]))
        same(result, peer)
        assert result.equity[-1] == pytest.approx(peer["equity"], rel=1e-12)


def test_stops_and_targets_with_fees_are_backtesting_py_s(
    levelled: list[tuple[dict[str, Any], Signals]], backtesting_py: list[Any]
) -> None:
    """Stops hit on the entry bar, gaps, and both on one bar are among them."""
    for (one, wanted), peer in zip(levelled, backtesting_py[len(levelled) :], strict=True):
        same(ours(one, wanted), peer)


def test_reversals_with_fees_and_slippage_are_vectorbt_s(cases: list[dict[str, Any]], vectorbt: list[Any]) -> None:
    for one, peer in zip(cases, vectorbt, strict=False):
        result = ours(one, Signals(one["side"]), costs={"slippage": SLIPPAGE})
        same(result, peer)
        np.testing.assert_allclose(result.equity, peer["equity"], 1e-12)


def test_stops_are_vectorbt_s(calmed: list[dict[str, Any]], vectorbt: list[Any]) -> None:
    """It looks at stops from the bar after the entry on, and drops a signal that is to be filled on the bar of a stop,
    though its open was before: where either would be, nothing is wanted.
    """
    for one, peer in zip(calmed, vectorbt[len(calmed) :], strict=True):
        result = stopped(one)
        assert np.count_nonzero(result.trades.reason == Reason.STOP) > 3
        same(result, peer)


def stopped(case: dict[str, Any]) -> Result:
    return ours(case, Signals(case["side"]), exits={"stop_pct": case["stop_part"] * 100})


def calm(case: dict[str, Any], stop: float) -> dict[str, Any]:
    """The case without positions whose entry bar reaches the stop, or whose exit's bar does."""
    bars, side = case["bars"], case["side"]
    fall, rise = 1 - bars.low / bars.open, bars.high / bars.open - 1
    worst = np.append(np.where(side[:-1] > 0, fall[1:], rise[1:]), 0)
    found = case | {"stop_part": stop, "side": without(side, worst >= stop)}
    trades = stopped(found).trades
    beyond = np.where(
        trades.side > 0, bars.low[trades.exit_bar] <= trades.stop, bars.high[trades.exit_bar] >= trades.stop
    )
    both = np.zeros(len(side), bool)
    both[trades.entry_bar[beyond & (trades.reason == Reason.SIGNAL)] - 1] = True
    return found | {"side": without(found["side"], both)}


def without(side: Any, entries: Any) -> Any:
    """Flat instead of each run of one side whose first bar is marked."""
    runs = np.cumsum(np.diff(side, prepend=0) != 0)
    return np.where(entries[np.searchsorted(runs, runs)], 0, side).astype(np.int8)
