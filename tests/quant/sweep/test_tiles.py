"""Combinations that go through the bars together, in blocks: the engine's own figures, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quant.candles import Candles
from quant.config import Config, parse
from quant.dataset import Funding
from quant.engine import run
from quant.indicators import View
from quant.metrics import measure
from quant.metrics.curve import BLOCK
from quant.sweep import tiles
from quant.timeframe import Timeframe

SETTINGS: dict[str, dict[str, Any]] = {
    "an ATR stop": {"exits": {"stop_atr": 2.0}},
    "a stop and a target": {"exits": {"stop_pct": 0.4, "target_r": 2.0}},
    "a trailing stop": {"exits": {"trailing_atr": 3.0}},
    "risk": {"exits": {"stop_atr": 1.5}, "sizing": {"mode": "risk"}, "instrument": {"max_leverage": 10}},
    "volatility": {"sizing": {"mode": "volatility"}, "instrument": {"max_leverage": 3, "qty_step": 0.001}},
    "inverse": {"instrument": {"contract": "inverse", "contract_value": 100}, "account": {"equity": 1.0}},
    "liquidation": {"sizing": {"fraction": 50}, "instrument": {"max_leverage": 60}},
    "its own stops": {"strategy": {"name": "trend_atr"}},
}


@pytest.fixture(scope="module")
def candles() -> Candles:
    random = np.random.default_rng(4)
    n, quarter = 7 * BLOCK + 131, Timeframe.of("15m")
    close = np.round(30_000 * np.exp(np.cumsum(random.normal(0, 0.002, n))), 1)
    opens = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opens, close) + 7.0, np.minimum(opens, close) - 7.0
    return Candles("test", "BTC/USDT", quarter, np.arange(n) * quarter.ms, opens, high, low, close, np.ones(n))


def config(**sections: Any) -> Config:
    return parse({"data": {"symbol": "BTC/USDT", "timeframe": "15m"}} | sections)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("bars", [BLOCK, 3 * BLOCK, 128 * BLOCK])
def test_blocks_are_the_whole(candles: Candles, name: str, bars: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "BARS", bars)
    funding = Funding(candles.time[::32].copy(), np.full(len(candles.time[::32]), 0.0003))
    view = View(candles, 0.1)
    base = {"strategy": {"name": "ma_cross"}} | SETTINGS[name]
    chosen = [
        config(**base | {"strategy": base["strategy"] | {"params": {"fast": fast, "slow": 60}}}) for fast in (5, 12, 20)
    ]
    for rates in (None, funding):
        found = tiles.measured([(one, view) for one in chosen], rates)
        wanted = [measure(run(one, candles, rates, view)) for one in chosen]
        assert repr(found) == repr(wanted)
        assert all(one["trades"] > 0 for one in wanted)


def test_a_curve_without_a_change_needs_its_equity_once_more_and_gets_it(candles: Candles) -> None:
    """Costs of nothing and a market that stands still: the variance of its returns is 0, not what rounding left."""
    even = np.full(len(candles), 100.0)
    still = Candles("test", "X", candles.timeframe, candles.time, even, even, even, even, even)
    one, view = config(costs={"taker_fee": 0.0}), View(still, 0.1)
    assert repr(tiles.measured([(one, view)], None)) == repr([measure(run(one, still, None, view))])
