"""What holds for any candles, signals and settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.candles import Candles
from quant.config import Config
from quant.engine import Reason, Result, Scratch, Simulation, Spec, simulate
from quant.engine.book import ROW
from quant.indicators import View
from quant.strategy import Signals
from tests.quant.engine import kit
from tests.quant.engine.drawn import Funding

Case = tuple[Candles, Signals, Config, Funding]
PARTS = st.sampled_from([None, 1.0, 3.0, 10.0])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A few dozen bars that wander and jump, any signals, any mixture of settings."""
    n = draw(st.integers(3, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    close = 100 * np.exp(np.cumsum(random.normal(0, draw(st.sampled_from([0.001, 0.02, 0.2])), n)))
    opens = np.concatenate(([100.0], close[:-1])) * np.exp(random.normal(0, 0.01, n))
    wicks = 1 + np.abs(random.normal(0, 0.01, (2, n)))
    high, low = np.maximum(opens, close) * wicks[0], np.minimum(opens, close) / wicks[1]
    bars = kit.candles(np.column_stack((opens, high, low, close)).tolist())
    side = random.choice([-1, 0, 1], n, p=[0.3, 0.4, 0.3])
    keep = random.random(n) < draw(st.sampled_from([0.0, 0.5, 0.9]))
    for t in range(1, n):
        side[t] = side[t - 1] if keep[t] else side[t]
    every = draw(st.integers(1, 9))
    times = bars.time[::every].copy()
    funding = Funding(times, random.normal(0, 0.001, len(times)))
    return bars, kit.signals(side.tolist()), draw(settings()), funding


@st.composite
def settings(draw: st.DrawFn) -> Config:
    inverse = draw(st.booleans())
    instrument = {
        "contract": "inverse" if inverse else "linear",
        "contract_value": draw(st.sampled_from([None, 10.0])),
        "max_leverage": draw(st.sampled_from([1.0, 5.0, 50.0])),
        "maintenance_margin": draw(st.sampled_from([0.0, 0.01])),
        "qty_step": draw(st.sampled_from([0.0, 0.001, 0.5])),
        "min_notional": draw(st.sampled_from([0.0, 50.0])),
        "tick_size": draw(st.sampled_from([None, 0.01, 0.25])),
    }
    costs = {"taker_fee": 0.001, "maker_fee": draw(st.sampled_from([None, -0.0001])), "slippage": 0.0005}
    sizing = {"mode": draw(st.sampled_from(["fraction", "risk", "volatility", "quantity"])), "lookback": 3}
    sizing |= {"quantity": 2.0, "fraction": draw(st.sampled_from([0.5, 1.0, 30.0]))}
    exits = {"atr": 3, "stop_pct": draw(PARTS), "target_atr": draw(PARTS), "trailing_pct": draw(PARTS)}
    return kit.config(instrument=instrument, costs=costs, sizing=sizing, exits=exits, account={"equity": 1000})


def played(case: Case, bars: int | None = None) -> Result:
    candles, signals, config, funding = case
    if bars is None:
        return kit.simulated(candles, signals, config, funding=funding)
    return kit.simulated(candles.part(0, bars), Signals(signals.side[:bars]), config, funding=funding)


def worth(config: Config, price: Any) -> Any:
    return -1 / price if config.instrument.contract == "inverse" else price


@given(cases())
def test_equity_is_cash_and_what_the_position_is_worth_at_every_bar(case: Case) -> None:
    """Told again from the trades alone: closed ones whole; of an open one its profit so far, its entry's fee and the
    fundings it was due."""
    candles, _, config, funding = case
    result = played(case)
    expected = np.full(len(candles), result.initial)
    for trade in range(len(result.trades)):
        add(expected, trade, result, config, funding)
    np.testing.assert_allclose(result.equity, expected, 1e-9, 1e-9 * result.initial)


def add(expected: Any, trade: int, result: Result, config: Config, funding: Funding) -> None:
    t = {name: getattr(result.trades, name)[trade] for name in type(result.trades).__annotations__}
    value = config.instrument.contract_value or (t["entry"] if config.instrument.contract == "inverse" else 1)
    size, entry = t["quantity"] * value, worth(config, t["entry"])
    held = slice(t["entry_bar"], t["exit_bar"])
    gain = t["side"] * size * (worth(config, result.candles.close[held]) - entry)
    due = np.zeros(len(expected))
    paid = np.searchsorted(result.candles.time, funding.time)
    due[paid] = -t["side"] * funding.rate * size * np.abs(worth(config, result.candles.open[paid]))
    due[: t["entry_bar"] + 1] = 0
    expected[held] += gain - 0.001 * size * abs(entry) + np.cumsum(due)[held]
    expected[t["exit_bar"] :] += t["pnl"]


@given(cases())
def test_quantities_and_equity_are_never_negative_and_trades_are_in_order(case: Case) -> None:
    result = played(case)
    trades, n = result.trades, len(result.candles)
    assert (trades.quantity > 0).all()
    assert (result.equity >= 0).all()
    assert (trades.entry_bar >= 1).all()
    assert (trades.exit_bar >= trades.entry_bar).all()
    assert (trades.entry_bar[1:] >= trades.exit_bar[:-1]).all(), "one position at a time"
    assert (np.diff(trades.entry_bar) > 0).all(), "one entry a bar"
    assert (trades.mae <= 0).all()
    assert (trades.mfe >= 0).all()
    ends = trades.reason == Reason.END
    assert ends.sum() <= 1
    assert (trades.exit_bar[ends] == n - 1).all()
    held = np.zeros(n, bool)
    for entry, exit_bar, reason in zip(trades.entry_bar, trades.exit_bar, trades.reason, strict=True):
        held[entry : exit_bar + (reason == Reason.END)] = True
    assert ((result.position != 0) == held).all()


@given(cases(), st.data())
def test_what_comes_later_changes_nothing_before(case: Case, data: st.DataObject) -> None:
    """On the first bars alone everything is the same, except that what is open is closed at the end."""
    bars = data.draw(st.integers(2, len(case[0])))
    whole, part = played(case), played(case, bars)
    assert part.equity[:-1].tolist() == whole.equity[: bars - 1].tolist()
    assert part.position.tolist() == whole.position[:bars].tolist()
    closed = part.trades.reason != Reason.END
    for name in type(part.trades).__annotations__:
        ours = getattr(part.trades, name)[closed]
        np.testing.assert_array_equal(ours, getattr(whole.trades, name)[: len(ours)])


@given(cases())
def test_the_same_again_is_the_same_to_the_last_bit_whatever_it_is_written_over(case: Case) -> None:
    candles, signals, config, funding = case
    first = played(case)
    scratch = Scratch(len(candles) + 5)
    for _ in range(2):
        again = simulate(candles, signals, Spec.of(config, candles, 0.01), funding, scratch)
        assert again.equity.tobytes() == first.equity.tobytes()
        assert again.trades.pnl.tobytes() == first.trades.pnl.tobytes()


@given(cases(), st.integers(1, 13))
def test_in_blocks_it_goes_on_where_it_stood(case: Case, size: int) -> None:
    candles, signals, config, funding = case
    whole, n = played(case), len(candles)
    rows, equity, position = np.empty(n, ROW), np.empty(n), np.empty(n)
    blocks = Simulation(candles, signals, Spec.of(config, candles, 0.01), funding, rows)
    for base in range(0, n, size):
        end = min(base + size, n)
        blocks.walk(end, equity[base:end], position[base:end], base)
    assert equity.tobytes() == whole.equity.tobytes()
    assert position.tobytes() == whole.position.tobytes()
    for name in type(whole.trades).__annotations__:
        np.testing.assert_array_equal(getattr(blocks.trades, name), getattr(whole.trades, name))


@given(cases())
def test_fills_lie_inside_their_bar_but_for_slippage(case: Case) -> None:
    candles, _, config, _ = case
    trades = played(case).trades
    slip = 1 + 2 * config.costs.slippage
    inside = (trades.exit <= candles.high[trades.exit_bar] * slip) & (
        trades.exit * slip >= candles.low[trades.exit_bar]
    )
    assert inside.all()
    market = np.isin(trades.reason, (Reason.SIGNAL, Reason.END)) * 1.0
    assert (trades.side * (trades.entry / candles.open[trades.entry_bar] - 1) > 0).all(), "slippage is against us"
    price = np.where(trades.reason == Reason.END, candles.close[trades.exit_bar], candles.open[trades.exit_bar])
    assert (market * trades.side * (trades.exit / price - 1) <= 0).all()


def test_an_inverse_contract_is_a_linear_one_seen_from_the_coin() -> None:
    """1/p, the price of a dollar in coins, traded by a linear contract the other way round, earns the same coins."""
    random = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, 300)))
    opens = np.concatenate(([100.0], close[:-1]))
    bars = np.column_stack((opens, np.maximum(opens, close) * 1.004, np.minimum(opens, close) / 1.004, close))
    turned = (1 / bars)[:, [0, 2, 1, 3]]
    side = np.repeat(random.choice([-1, 0, 1], 30), 10)
    quantity = {"mode": "quantity", "quantity": 50.0}
    inverse = kit.config(
        instrument={"contract": "inverse", "contract_value": 2.0, "max_leverage": 1000}, sizing=quantity
    )
    linear = kit.config(instrument={"contract_value": 2.0, "max_leverage": 1000}, sizing=quantity)
    ours = kit.simulated(kit.candles(bars.tolist()), kit.signals(side.tolist()), inverse)
    other = kit.simulated(kit.candles(turned.tolist()), kit.signals((-side).tolist()), linear)
    np.testing.assert_allclose(ours.equity, other.equity, 1e-12)
    np.testing.assert_allclose(ours.trades.pnl, other.trades.pnl, 1e-9, 1e-12)


def test_volatility_targeting_holds_the_wanted_part_of_the_equity() -> None:
    random = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.004, 200)))
    bars = kit.candles([(p, p, p, p) for p in close])
    settings = kit.config(sizing={"mode": "volatility", "volatility": 0.3, "lookback": 20})
    result = kit.simulated(bars, kit.signals([1] * 200), settings)
    returns = close[1:21] / close[:20] - 1
    wanted = 0.3 / (np.std(returns, ddof=1) * np.sqrt(35_040))
    assert result.trades.entry_bar.tolist() == [21], "the first bar after 20 returns are known"
    assert result.trades.quantity[0] == pytest.approx(10_000 * wanted / close[21])


def test_the_volatility_is_that_of_each_window() -> None:
    from quant.engine.volatility import volatility

    random = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, 500)))
    bars = kit.candles([(p, p, p, p) for p in close])
    found = volatility(View(bars, 0.01), 50)
    returns = close[1:] / close[:-1] - 1
    windows = np.lib.stride_tricks.sliding_window_view(returns, 50)
    np.testing.assert_allclose(found[50:], windows.std(axis=1, ddof=1) * np.sqrt(35_040), 1e-10)
    assert np.isnan(found[:50]).all()
