"""The report's parts: thinning, months, packing, the picture."""

from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from quant.report import packing, picture
from quant.report.months import monthly
from quant.report.thin import drawdown, thinned
from tests.quant.test_backtest import QUARTER, walk

DAY = 96


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(3, 60))
def test_a_thinned_curve_keeps_its_peaks_and_valleys(values: list[float], most: int) -> None:
    curve = np.array(values)
    kept = thinned(curve, most)
    assert len(kept) <= max(most, 3)
    assert (np.diff(kept) > 0).all()
    assert kept[-1] == len(values) - 1
    assert {curve.min(), curve.max()} <= set(curve[kept])


def test_a_thinned_curve_has_the_same_deepest_drawdown() -> None:
    curve = 100 * np.cumprod(1 + np.random.default_rng(3).normal(0, 0.01, 10_000))
    kept = thinned(curve, 300)
    assert drawdown(curve[kept], 100).min() == drawdown(curve, 100).min()


def test_months_go_from_one_last_close_to_the_next() -> None:
    time = np.datetime64("2023-12-30", "ms").astype(np.int64) + np.arange(40) * DAY * QUARTER.ms
    equity = np.where(np.arange(40) < 2, 110.0, np.where(np.arange(40) < 33, 121.0, 60.5))
    found = monthly(time, equity, 100.0)
    assert found[2023][11] == pytest.approx(0.1)
    assert math.isnan(found[2023][0])
    assert found[2024][:2] == [pytest.approx(0.1), pytest.approx(-0.5)]
    assert found[2024][12] == pytest.approx(60.5 / 110 - 1)


def test_packed_candles_are_small_and_hold_what_their_head_says() -> None:
    candles = walk(5000)
    unit = packing.unit_of(candles)
    assert unit == pytest.approx(0.1)
    blob = packing.packed(packing.bars(candles, unit))
    assert len(blob.body) < 7 * len(candles)
    raw = zlib.decompress(base64.b64decode(blob.body))
    assert len(raw) == sum({"f64": 8, "u32": 4, "i8": 1}[kind] * n for _, kind, n in json.loads(blob.head))


def test_prices_finer_than_a_screen_can_show_are_made_coarser_and_fit() -> None:
    """A made-up price has sixteen digits."""
    candles = walk(500)
    fine = replace(candles, **{name: getattr(candles, name) / 3 for name in ("open", "high", "low", "close")})
    assert fine.high.max() / packing.unit_of(fine) <= packing.MOST_UNITS


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0, 10, [0, 2, 4, 6, 8, 10]), (-0.3, 0.02, [-0.3, -0.2, -0.1, 0])]
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert picture.ticks(low, high, 6) == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 2, 3, 5000])
def test_a_picture_of_any_length_is_the_same_each_time(n: int, tmp_path: Path) -> None:
    candles = walk(n)
    for name in ("a.png", "b.png"):
        picture.draw(tmp_path / name, candles.time, candles.close, 30_000.0, "Été — 10 €", "Sharpe 1.0")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert len(image.getcolors(1_000_000) or ()) > 10
