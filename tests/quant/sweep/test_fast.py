"""The fast kernel against the engine and its measures: the same figures, or left to the engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.candles import Candles
from quant.config import Config
from quant.dataset import Funding
from quant.engine import run
from quant.errors import BadData, UsageError
from quant.indicators import View
from quant.metrics import measure
from quant.sweep.fast import crossing
from quant.sweep.overrides import Override, applied
from quant.sweep.work import Shared, evaluate
from quant.ticks import tick_of
from tests.quant.sweep.kit import config, walk

PAIRS = [{"fast": fast, "slow": slow} for fast in (1, 3, 10, 50) for slow in (2, 20, 100, 400) if fast < slow]
ROUNDING = 1e-9


def fast(asked: Config, candles: Candles, pairs: Sequence[Override]) -> dict[int, dict[str, float]]:
    return crossing.rows(asked, False, pairs, Shared.of(candles).crossings)


def engine(asked: Config, candles: Candles, pair: Override) -> dict[str, float]:
    view = View(candles, asked.instrument.tick_size or tick_of(candles))
    return measure(run(applied(asked, pair), candles, None, view))


def assert_same(found: dict[str, float], expected: dict[str, float]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        close = math.isclose(found[name], value, rel_tol=ROUNDING, abs_tol=1e-12)
        assert close or (math.isnan(value) and math.isnan(found[name])), (name, found[name], value)


@pytest.fixture(scope="module")
def candles() -> Candles:
    return walk(5000)


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"strategy": {"direction": "long"}},
        {"strategy": {"direction": "short"}},
        {"instrument": {"contract": "inverse"}, "account": {"equity": 1.5}},
        {"instrument": {"contract": "inverse", "contract_value": 100, "qty_step": 1}, "account": {"equity": 1.5}},
        {"costs": {"slippage": 1e-4, "slippage_ticks": 3, "taker_fee": -1e-4}},
        {"sizing": {"fraction": 2.5}, "instrument": {"max_leverage": 2, "qty_step": 0.01, "min_qty": 0.5}},
        {"sizing": {"mode": "quantity", "quantity": 0.1}, "costs": {"taker_fee": 0}},
        {"instrument": {"tick_size": 50}},
        {"account": {"equity": 20}, "instrument": {"qty_step": 0.001}},
    ],
    ids=str,
)
def test_it_gives_the_engines_figures(candles: Candles, sections: dict[str, Any]) -> None:
    asked = config(**sections)
    found = fast(asked, candles, PAIRS)
    assert len(found) == len(PAIRS)
    for place, row in found.items():
        assert_same(row, engine(asked, candles, PAIRS[place]))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    bars=st.integers(30, 2200),
    step=st.sampled_from([0.0, 0.0005, 0.01, 0.05]),
    tick=st.sampled_from([0.01, 5.0, 500.0]),
    fraction=st.sampled_from([0.5, 1.0, 3.0]),
    direction=st.sampled_from(["both", "long", "short"]),
)
def test_whatever_the_candles_it_is_equal_or_left(
    seed: int, bars: int, step: float, tick: float, fraction: float, direction: str
) -> None:
    """Wild ones are liquidated, still ones have nothing but equal averages, large ticks many of them."""
    candles = walk(bars, step=step, tick=tick, seed=seed)
    asked = config(sizing={"fraction": fraction}, instrument={"max_leverage": 3}, strategy={"direction": direction})
    pairs = [{"fast": 2, "slow": 5}, {"fast": 5, "slow": 25}]
    for place, row in fast(asked, candles, pairs).items():
        assert_same(row, engine(asked, candles, pairs[place]))


def test_a_liquidation_is_left_to_the_engine_and_comes_out_all_the_same() -> None:
    candles = walk(3000, step=0.02)
    asked = config(sizing={"fraction": 5}, instrument={"max_leverage": 5})
    assert len(fast(asked, candles, PAIRS)) < len(PAIRS)
    rows = evaluate(asked, candles, None, PAIRS)
    for pair, row in zip(PAIRS, rows, strict=True):
        assert_same({name: row[name] for name in row if name not in pair}, engine(asked, candles, pair))  # type: ignore[misc]


def test_products_beyond_what_floats_hold_are_compared_as_whole_numbers() -> None:
    """Prices of 3e11 ticks: with floats, averages that differ by less than a rounding would be equal."""
    candles = walk(1500, tick=1e-7)
    crossings = Shared.of(candles).crossings(config())
    assert crossings._series(False, 400).sums.dtype == np.int64
    assert crossings._series(False, 20).sums.dtype == np.float64
    found = fast(config(), candles, PAIRS)
    for place, row in found.items():
        assert_same(row, engine(config(), candles, PAIRS[place]))


@pytest.mark.parametrize(
    "sections",
    [
        {"exits": {"stop_atr": 2}},
        {"exits": {"target_pct": 2}},
        {"exits": {"trailing_atr": 2}},
        {"sizing": {"mode": "volatility"}},
        {"sizing": {"mode": "risk"}},
        {"strategy": {"name": "breakout"}},
    ],
    ids=str,
)
def test_what_it_does_not_model_is_not_its(sections: dict[str, Any]) -> None:
    assert not crossing.models(config(**sections), funded=False)


def test_funding_is_the_engines(candles: Candles) -> None:
    assert not crossing.models(config(), funded=True)
    assert crossing.models(config(costs={"funding": False}), funded=True)
    rates = Funding(candles.time[::32].copy(), np.full(len(candles.time[::32]), 1e-4))
    row = evaluate(config(), candles, rates, PAIRS[:1])[0]
    assert row["funding"] != 0


def test_some_of_a_sweep_can_be_its_and_the_rest_the_engines(candles: Candles) -> None:
    overrides = [{"fast": 5, "slow": 50, "costs.taker_fee": fee, "sizing.mode": mode}
                 for fee in (0.0, 0.001) for mode in ("fraction", "volatility")]  # fmt: skip
    rows = evaluate(config(), candles, None, overrides)
    assert len(fast(config(), candles, overrides)) == 2
    for override, row in zip(overrides, rows, strict=True):
        assert_same({name: row[name] for name in row if name not in override}, engine(config(), candles, override))  # type: ignore[misc]


def test_what_the_engine_refuses_is_refused(candles: Candles) -> None:
    with pytest.raises(UsageError, match="fast must be below slow"):
        evaluate(config(), candles, None, [{"fast": 9, "slow": 9}])
    with pytest.raises(BadData, match="has 100 bars, ma_cross with fast 9, slow 99 needs 101"):
        evaluate(config(), candles.part(0, 100), None, [{"fast": 9, "slow": 99}])
