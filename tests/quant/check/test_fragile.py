"""Costs, delay, neighbours, luck: on series made so that the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from quant import strategies
from quant.candles import Candles
from quant.check.costs import break_even, fees
from quant.check.delay import delay
from quant.check.luck import luck
from quant.check.plateau import beside, neighbours, plateau
from quant.check.trial import Trial, delayed
from quant.indicators import View
from quant.strategy import Parameter, Params, Signals, Strategy
from tests.quant.check.leaks_kit import config
from tests.quant.strategies.series_kit import BEGIN, walk

BARS = 20_000


def trending(step: float = 0.0004, noise: float = 0.002, length: int = 400) -> Candles:
    """Drifts that turn every `length` bars: followers of a trend earn on it."""
    random = np.random.default_rng(9)
    drift = step * np.where(np.arange(BARS) // length % 2 == 0, 1, -1)
    path = 10_000 * np.exp(np.concatenate(([0.0], np.cumsum(drift + random.normal(0, noise, BARS)))))
    open_, close = np.rint(path[:-1] * 10) / 10, np.rint(path[1:] * 10) / 10
    time = BEGIN + 900_000 * np.arange(BARS)
    base = walk(1)
    return Candles(
        "made", "BTC/USDT", base.timeframe, time, open_, np.maximum(open_, close), np.minimum(open_, close), close,
        np.ones(BARS),
    )  # fmt: skip


def trial(name: str = "ma_cross", candles: Candles | None = None, **sections: object) -> Trial:
    return Trial(strategies.get(name), config(name, **sections), candles or trending())


def flip(view: View, _: Params) -> Signals:
    """Follows the last bar."""
    close = view.candles.close
    side = np.zeros(len(close), np.int8)
    side[1:] = np.sign(np.diff(close)).astype(np.int8)
    return Signals(side)


FLIP = Strategy("flip", "", (), flip, lambda _: 1)


def momentum() -> Candles:
    """A move is followed by part of itself in the next bar, and by nothing after that."""
    noise = np.random.default_rng(3).normal(0, 0.002, BARS)
    moves = noise + 0.4 * np.concatenate(([0.0], noise[:-1]))
    path = np.rint(1e6 * np.exp(np.concatenate(([0.0], np.cumsum(moves))))) / 100
    open_, close = path[:-1], path[1:]
    time = BEGIN + 900_000 * np.arange(BARS)
    return Candles(
        "made", "BTC/USDT", walk(1).timeframe, time, open_, np.maximum(open_, close), np.minimum(open_, close), close,
        np.ones(BARS),
    )  # fmt: skip


def test_an_edge_with_room_for_costs_passes_and_says_how_much() -> None:
    found = fees(trial())
    assert not found.flagged, found.words
    assert float(found.numbers["break_even"]) > 5  # type: ignore[arg-type]
    assert found.numbers["Sharpe_x0"] > found.numbers["Sharpe_x1"] > found.numbers["Sharpe_x3"]  # type: ignore[operator]
    assert "times the costs" in found.words


def test_an_edge_that_twice_the_costs_take_away_is_flagged() -> None:
    most = break_even(trial(costs={"taker_fee": 0.001}))
    thin = fees(trial(costs={"taker_fee": 0.001 * most / 1.5}))
    assert thin.flagged
    assert float(thin.numbers["break_even"]) == pytest.approx(1.5, rel=0.01)  # type: ignore[arg-type]


def test_costs_that_are_not_configured_are_flagged_and_losers_are_only_told() -> None:
    assert fees(trial(costs={"taker_fee": 0})).flagged
    loser = fees(trial(candles=walk(BARS), costs={"taker_fee": 0.01}))
    assert not loser.flagged
    assert "costs take all it earns" in loser.words or "loses before costs" in loser.words


def test_slippage_is_a_cost_too() -> None:
    found = fees(trial(costs={"taker_fee": 0, "slippage": 0.0001}))
    assert found.numbers["Sharpe_x0"] > found.numbers["Sharpe_x2"]  # type: ignore[operator]


def test_an_edge_of_one_bar_is_flagged_and_a_slow_one_is_not() -> None:
    fast = delay(Trial(FLIP, config("flip", costs={"taker_fee": 0}), momentum()))
    assert fast.flagged, fast.words
    assert "lives on one bar" in fast.words
    assert not delay(trial()).flagged


def test_a_late_order_is_the_same_order_one_bar_later() -> None:
    late = delayed(Signals(np.array([1, 0, -1], np.int8), np.array([1.0, 2.0, 3.0])), 1)
    assert late.side.tolist() == [0, 1, 0]
    assert np.isnan(late.stop[0])  # type: ignore[index]
    assert late.stop[1:].tolist() == [1, 2]  # type: ignore[index]
    assert late.target is None


def peaked(view: View, params: Params) -> Signals:
    """Right for one number only."""
    n = len(view.candles)
    right = np.where(np.arange(n) // 400 % 2 == 0, 1, -1).astype(np.int8)
    return Signals(right if params["magic"] == 7 else -right)


PEAKED = Strategy("peaked", "", (Parameter("magic", 7, (5, 7, 9), "", least=1),), peaked, lambda _: 1)


def test_a_lonely_peak_is_flagged_and_a_plateau_is_not() -> None:
    lonely = plateau(Trial(PEAKED, config("ma_cross"), trending()))
    assert lonely.flagged, lonely.words
    assert "a lonely peak" in lonely.words
    wide = plateau(trial())
    assert not wide.flagged, wide.words
    assert wide.numbers["neighbours"] == 4


def test_neighbours_are_one_step_away_and_never_refused() -> None:
    space = {"fast": [10, 20, 40], "slow": {"from": 21, "to": 40, "step": 10}}
    own = trial(sweep={"space": space}, strategy={"name": "ma_cross", "params": {"fast": 20, "slow": 21}})
    assert list(neighbours(own)) == [{"fast": 10}, {"slow": 31}]  # 40 and 17 would not be below and above
    exits = list(neighbours(trial(exits={"stop_atr": 2.0})))
    assert {"exits.stop_atr": 1.6} in exits
    assert {"exits.stop_atr": 2.4} in exits
    tried = neighbours(trial(exits={"stop_atr": 2.0}, sweep={"space": {"exits.stop_atr": [1.0, 2.0, 5.0]}}))
    assert [one["exits.stop_atr"] for one in tried if "exits.stop_atr" in one] == [1.0, 5.0]


@pytest.mark.parametrize(
    ("value", "space", "found"),
    [
        (20, (10, 20, 30), [10, 30]),
        (10, (10, 20), [8, 20]),
        (1, (), [0, 2]),
        (2.0, (1.0, 2.0, 4.0), [1.0, 4.0]),
        ("4h", ("1h", "4h", "1d"), ["1h", "1d"]),
        ("1h", ("1h", "4h"), ["4h"]),
        ("2h", ("1h",), []),
        (True, (True, False), [False]),
    ],
)
def test_what_stands_beside(value: object, space: tuple[object, ...], found: list[object]) -> None:
    assert beside(value, space) == found  # type: ignore[arg-type]


def test_luck_asks_for_a_long_record_and_enough_trades() -> None:
    good = luck(trial())
    assert not good.flagged, good.words
    assert good.numbers["PSR"] > 0.99  # type: ignore[operator]
    assert "draws of its" in good.words
    few = luck(trial(sweep={"min_trades": 5000}))
    assert few.flagged
    assert "too few trades" in few.words
    short = luck(trial(candles=trending(0.0001), costs={"taker_fee": 0.0001}))
    assert short.flagged, short.words
    assert 0.5 < short.numbers["PSR"] < 0.95  # type: ignore[operator]
    assert not luck(trial(candles=walk(BARS), costs={"taker_fee": 0.01})).flagged
