"""Every strategy there is: what each gives, and what some do on candles drawn by hand."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn_by
from hypothesis import settings
from hypothesis import strategies as st

from quant import strategies
from quant.candles import COLUMNS, Candles
from quant.config import parse
from quant.engine import run
from quant.errors import BadData
from quant.indicators import View
from quant.strategy import Signals, Value
from tests.quant.strategies.series_kit import drawn, flat, walk

NAMES = strategies.names()
TICK = 0.1
BARS = 6000


@pytest.fixture(scope="module")
def candles() -> Candles:
    return walk(BARS, seed=3)


def given(name: str, candles: Candles, **params: Value) -> Signals:
    strategy = strategies.get(name)
    return strategy.signals(View(candles, TICK), strategy.complete(params))


def some(name: str, count: int) -> list[dict[str, Value]]:
    """Of the strategy's own space, without what it refuses; seeded."""
    strategy = strategies.get(name)
    names = [one.name for one in strategy.parameters]
    every = [
        dict(zip(names, values, strict=True)) for values in itertools.product(*(p.space for p in strategy.parameters))
    ]
    fitting = [params for params in every if strategy.refusal(params) is None]
    assert fitting
    return random.Random(1).sample(fitting, min(count, len(fitting)))


@pytest.mark.parametrize("name", NAMES)
def test_signals_have_one_value_for_each_bar_and_stay_within_the_direction(name: str, candles: Candles) -> None:
    for params in some(name, 5):
        found = given(name, candles, **params)
        assert found.side.shape == (BARS,)
        assert found.side.dtype == np.int8
        allowed = {"both": {-1, 0, 1}, "long": {0, 1}, "short": {-1, 0}}[strategies.get(name).direction]
        assert set(np.unique(found.side).tolist()) <= allowed
        for distance in (found.stop, found.target):
            assert distance is None or (distance[~np.isnan(distance)] > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_by_default_it_trades_and_not_before_its_warmup(name: str, candles: Candles) -> None:
    strategy = strategies.get(name)
    params = strategy.complete({})
    assert strategy.refusal(params) is None
    side = given(name, candles).side
    assert np.count_nonzero(np.diff(side)) > 5
    assert not side[: strategy.needed(params, candles.timeframe) - 1].any()


def test_too_few_bars_for_the_higher_timeframe_are_told_instead_of_never_trading() -> None:
    chosen = {"name": "trend_atr", "params": {"htf": "1d", "htf_length": 50}}
    config = parse({"data": {"symbol": "BTC/USDT", "timeframe": "15m"}, "strategy": chosen})
    with pytest.raises(BadData, match=r"has 4,?000 bars.* needs 4,?802"):
        run(config, walk(4000))


@pytest.mark.parametrize("name", NAMES)
def test_its_space_holds_its_default_and_its_help_says_what_it_is(name: str) -> None:
    strategy = strategies.get(name)
    assert strategy.name == name
    for one in strategy.parameters:
        assert one.default in one.space
        assert one.help
        assert one.least is None or all(value >= one.least for value in one.space)  # type: ignore[operator]


@pytest.mark.parametrize("name", NAMES)
def test_signals_until_a_bar_are_the_same_whatever_comes_after_it(name: str) -> None:
    whole = walk(2400, seed=5, gaps=True)
    for params in some(name, 3):
        full = given(name, whole, **params)
        for cut in (1, 2, 50, 777, 1203, len(whole) - 1):
            part = given(name, whole.part(0, cut), **params)
            assert np.array_equal(part.side, full.side[:cut]), (params, cut)
            for mine, its in ((part.stop, full.stop), (part.target, full.target)):
                assert mine is None or np.array_equal(mine, its[:cut], equal_nan=True)  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES)
def test_asking_twice_changes_nothing(name: str, candles: Candles) -> None:
    strategy, view = strategies.get(name), View(candles, TICK)
    params = strategy.complete({})
    first = strategy.signals(view, params).side.copy()
    for other in some(name, 3):
        strategy.signals(view, other)
    assert np.array_equal(strategy.signals(view, params).side, first)


@pytest.mark.parametrize("name", NAMES)
def test_no_side_is_wanted_before_its_stop_is_known_or_while_nothing_moves(name: str) -> None:
    moving = walk(300, seed=2)
    for params in ({}, {"atr": 200}):
        if "atr" in strategies.get(name).complete({}):
            found = given(name, moving, **params)
            assert found.stop is not None
            assert (found.stop[found.side != 0] > 0).all()
            still = given(name, flat([*moving.close[:50].tolist(), *[5.0] * 300]), **params)
            assert (still.stop[still.side != 0] > 0).all()  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES)
def test_no_bars_and_few_bars_give_no_signals(name: str) -> None:
    for bars in (0, 1, 5):
        assert not given(name, walk(bars)).side.any()


def test_breakout_goes_in_at_the_wide_channel_and_out_at_the_narrow_one() -> None:
    closes = [5, 5, 5, 5, 6, 7, 8, 9, 7.5, 7, 5, 6, 6.5]
    side = given("breakout", flat(closes), entry=4, exit=2, atr=1).side.tolist()
    assert side == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, -1, -1, 0]


def test_trend_needs_the_higher_timeframe_to_agree() -> None:
    falling = [40 - 2 * t for t in range(12)] + [18, 21, 24, 27]
    side = given("trend_atr", flat(falling), fast=1, slow=2, htf="4h", htf_length=2, atr=5).side.tolist()
    assert side[:7] == [0] * 7  # two closed bars of 4 h are known at the close of the eighth hour
    assert side[7:12] == [-1] * 5
    assert side[12:] == [-1, 0, 1, 1]  # equal: as before; up, but under the 22 of the higher bars; above them


def test_a_reclaim_must_be_confirmed_and_ends_under_the_level() -> None:
    closes = [10, 10, 10, 10, 8, 8, 11, 11, 11, 11, 8, 11, 12, 12]
    params: dict[str, Value] = {"htf": "1h", "htf_length": 4, "below": 2, "confirm": 2, "atr": 4}
    far: dict[str, Value] = {"stop_atr": 50.0, "target_r": 50.0}
    side = given("usdtm_long", flat(closes), **params, **far).side.tolist()
    assert side == [0] * 7 + [1, 1, 1, 0, 0, 0, 0]  # the second time only one bar was under it


def test_a_rejected_rally_is_sold_until_the_higher_timeframe_turns() -> None:
    down = [(40 - t, 40 - t, 39 - t, 39 - t) for t in range(20)]
    rally = [(20, 26, 19, 19), (19, 19, 18, 18), (18, 40, 18, 40)]
    params: dict[str, Value] = {"htf": "1h", "htf_length": 3, "ema": 4, "stop_atr": 50.0, "target_r": 50.0}
    side = given("coinm_short", drawn(down + rally), **params).side.tolist()
    assert side == [0] * 20 + [-1, -1, 0]


def test_gold_is_bought_within_its_hours_only(candles: Candles) -> None:
    side = given("gold_cfd_long", candles, from_hour=7, to_hour=9).side
    entries = np.flatnonzero((side[1:] == 1) & (side[:-1] == 0)) + 1
    assert set((candles.time[entries] // 3_600_000 % 24).tolist()) == {7, 8}


@settings(max_examples=60, deadline=None, derandomize=True)
@drawn_by(st.data())
def test_whatever_the_bars_the_parameters_and_the_cut_nothing_looks_ahead(data: st.DataObject) -> None:
    """Few ticks, so that equal prices and ties come often; bars missing anywhere."""
    name = data.draw(st.sampled_from(NAMES))
    strategy = strategies.get(name)
    steps = data.draw(st.lists(st.integers(-2, 2), min_size=40, max_size=220))
    missing = data.draw(st.sets(st.integers(1, len(steps) - 1), max_size=20))
    close = np.maximum(1, 50 + np.cumsum(steps)).astype(float)
    open_ = np.concatenate(([50.0], close[:-1]))
    rows = np.column_stack((open_, np.maximum(open_, close) + 1, np.maximum(np.minimum(open_, close) - 1, 0.5), close))
    whole = drawn([tuple(row) for row in rows], timeframe="15m")
    keep = [bar for bar in range(len(steps)) if bar not in missing]
    columns = {column: getattr(whole, column)[keep] for column in COLUMNS}
    candles = replace(whole, **columns)
    small = {"slow": 9, "fast": 3, "htf": "1h", "htf_length": 2, "ema": 3, "entry": 4, "exit": 2, "atr": 3, "below": 2}
    params = strategy.complete({one.name: small[one.name] for one in strategy.parameters if one.name in small})
    cut = data.draw(st.integers(1, len(candles)))
    full = strategy.signals(View(candles, 0.5), params)
    part = strategy.signals(View(candles.part(0, cut), 0.5), params)
    assert np.array_equal(part.side, full.side[:cut])
    for mine, its in ((part.stop, full.stop), (part.target, full.target)):
        assert mine is None or np.array_equal(mine, its[:cut], equal_nan=True)  # type: ignore[index]
