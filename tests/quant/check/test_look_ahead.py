"""Look-ahead: leaky strategies are flagged, correct ones are not."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from quant import strategies
from quant.check import asking, truncation
from quant.check.canary import LIMIT, canary
from quant.check.known import INDICATORS
from quant.check.walks import Walks, walk
from quant.higher import Higher
from quant.indicators import View
from quant.timeframe import Timeframe
from tests.quant.check.leaks_kit import FAILING, LEAKY, config
from tests.quant.strategies.series_kit import walk as other_walk

QUARTERS = Timeframe.of("15m")
SEEDS = 20
YEAR = 35_040
TICK = 0.01


@pytest.fixture(scope="module")
def walks() -> Walks:
    kept = {seed: walk(seed, QUARTERS, YEAR) for seed in range(SEEDS)}
    return Walks(SEEDS, QUARTERS, YEAR, lambda seed, *_: kept[seed])


@pytest.mark.parametrize(
    ("name", "least"), [("higher_average", 15), ("bar_direction", 50), ("next_bar", 100), ("centred", 50)]
)
def test_the_canary_flags_who_knows_the_future_on_every_seed(name: str, least: float, walks: Walks) -> None:
    found = canary(LEAKY[name], config(name), walks)
    assert found.flagged
    assert float(found.numbers["least"]) > LIMIT  # type: ignore[arg-type] # each walk alone would do: its error is 1
    assert float(found.numbers["Sharpe"]) > least  # type: ignore[arg-type]
    assert "knows what it cannot know" in found.words


def test_the_canary_flags_a_mean_of_the_whole_sample(walks: Walks) -> None:
    found = canary(LEAKY["whole_mean"], config("whole_mean"), walks)
    assert found.flagged, found.words


@pytest.mark.parametrize("name", strategies.names())
def test_the_canary_lets_correct_strategies_pass(name: str, walks: Walks) -> None:
    found = canary(strategies.get(name), config(name), walks)
    assert not found.flagged, found.words
    assert abs(float(found.numbers["standard_errors"])) < 3  # type: ignore[arg-type]
    assert float(found.numbers["trades"]) > 500  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LEAKY)
def test_truncation_flags_every_leak_and_says_where(name: str) -> None:
    found = truncation.of_strategy(LEAKY[name], {}, walk(1, QUARTERS, 8000), TICK)
    assert found.flagged
    assert ("stop" if name == "best_stop" else "side") in found.words
    assert "it looks ahead" in found.words
    assert 0 <= int(found.numbers["bar"]) < int(found.numbers["cut"])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", strategies.names())
def test_truncation_lets_correct_strategies_pass_with_gaps_too(name: str) -> None:
    candles = other_walk(9000, seed=11, gaps=True)
    for params in ({}, {one.name: one.space[-1] for one in strategies.get(name).parameters}):
        found = truncation.of_strategy(strategies.get(name), strategies.get(name).complete(params), candles, 0.1)
        assert not found.flagged, found.words


def test_every_indicator_is_among_those_checked() -> None:
    plain = {name for name, _ in inspect.getmembers(View, inspect.isfunction) if not name.startswith("_")}
    higher = {name for name, _ in inspect.getmembers(Higher, inspect.isfunction) if not name.startswith("_")}
    assert {name for name in INDICATORS if "." not in name} == plain - {"once", "higher"}
    assert {name.partition(".")[2] for name in INDICATORS if "." in name} == higher
    found = asking.indicators()
    assert [one.subject for one in found] == list(INDICATORS)
    assert not any(one.flagged for one in found)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", "ZeroDivisionError: no average of nothing"),
        ("raises_on_few", "leaks_kit.py line"),
        ("too_short", "expected int8 of shape"),
        ("not_a_side", "side is float64"),
    ],
)
def test_a_strategy_that_fails_is_flagged_in_its_own_words(name: str, said: str) -> None:
    found = truncation.of_strategy(FAILING[name], {}, walk(1, QUARTERS, 8000), TICK)
    assert found.flagged
    assert name in found.words
    assert said in found.words
    assert "bars" in found.words


def test_the_canary_flags_a_strategy_that_fails_and_tells_of_one_that_never_trades() -> None:
    few = Walks(1, QUARTERS, 2000)
    assert "no average of nothing" in canary(FAILING["raises"], config("raises"), few).words
    idle = canary(strategies.get("usdtm_long"), config("usdtm_long"), Walks(2, QUARTERS, 900))
    assert not idle.flagged
    assert "never traded" in idle.words


@pytest.mark.parametrize("text", ["1m", "1d", "1w"])
def test_the_canary_measures_by_the_timeframe(text: str) -> None:
    timeframe = Timeframe.of(text)
    walks = Walks(5, timeframe, YEAR)
    assert min(candles.low.min() for candles in walks) > 1000
    found = canary(strategies.get("ma_cross"), config("ma_cross"), walks)
    assert not found.flagged, found.words
    assert abs(float(found.numbers["standard_errors"])) < 3  # type: ignore[arg-type]
    assert canary(LEAKY["next_bar"], config("next_bar"), walks).flagged


def test_walks_are_martingales_whose_extremes_contain_open_and_close() -> None:
    candles = walk(3, QUARTERS, 200_000)
    again = walk(3, QUARTERS, 200_000)
    assert candles.sha256 == again.sha256 != walk(4, QUARTERS, 200_000).sha256
    assert (candles.high >= np.maximum(candles.open, candles.close)).all()
    assert (candles.low <= np.minimum(candles.open, candles.close)).all()
    assert (candles.open[1:] == candles.close[:-1]).all()
    returns = candles.close / candles.open - 1
    assert abs(returns.mean() / returns.std() * np.sqrt(len(returns))) < 3
    reach = np.log(candles.high / candles.open) / returns.std()
    assert reach.mean() == pytest.approx(np.sqrt(2 / np.pi), rel=0.01)  # of a Brownian motion's maximum
