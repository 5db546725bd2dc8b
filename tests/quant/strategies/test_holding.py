"""Positions entered on an event: candles drawn by hand, with what is wanted at each bar's close."""

from __future__ import annotations

import numpy as np
import pytest

from quant.candles import Candles
from quant.holding import hold, pullbacks
from quant.indicators import View
from tests.quant.strategies.series_kit import BEGIN, drawn

QUIET = (10, 10, 10, 10)
UP = (10, 12, 10, 12)
DOWN = (10, 10, 9, 9)


def held(candles: Candles, entry: list[int], *, reason: int | list[int] = 1, **rules: float) -> list[int]:
    """With a stop 1 and a target 2 away from the fill."""
    n = len(candles)
    reasons = np.broadcast_to(np.asarray(reason, np.int8), n).copy()
    stop = np.ones(n)
    return hold(View(candles, 1), np.array(entry, np.int8), reasons, stop, 2 * stop, **rules).tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "entry", "wanted"),
    [
        ([QUIET] * 4, [0, 1, 0, 0], [0, 1, 1, 1]),
        ([QUIET, DOWN, QUIET, QUIET], [1, 0, 0, 0], [1, 0, 0, 0]),  # stopped by the bar that filled it
        ([DOWN, QUIET, UP, QUIET], [1, 0, 0, 0], [1, 1, 0, 0]),  # its own signal bar stops nothing
        ([QUIET, DOWN, QUIET, QUIET], [1, 1, 1, 0], [1, 0, 1, 1]),  # flat for a bar: the next entry is another position
        ([QUIET, (12, 12, 12, 12), (12, 13, 12, 12), (12, 14, 12, 12)], [1, 0, 0, 0], [1, 1, 1, 0]),  # from the fill
    ],
)
def test_from_the_fill_until_a_touch(rows: list[tuple[float, ...]], entry: list[int], wanted: list[int]) -> None:
    assert held(drawn(rows), entry) == wanted  # type: ignore[arg-type]


def test_short_is_the_mirror() -> None:
    c = drawn([QUIET, QUIET, (10, 10, 8, 8), QUIET, (10, 11, 10, 10), QUIET])
    assert held(c, [-1, 0, 0, -1, 0, 0], reason=-1) == [-1, -1, 0, -1, 0, 0]


def test_left_when_its_reason_is_gone_and_turned_when_the_other_comes() -> None:
    c = drawn([QUIET] * 5)
    assert held(c, [1, 0, 0, 0, 0], reason=[1, 1, 0, 1, 1]) == [1, 1, 0, 0, 0]
    assert held(c, [1, 0, -1, 0, 0], reason=[1, 1, -1, -1, -1]) == [1, 1, -1, -1, -1]


def test_nothing_is_entered_without_a_stop() -> None:
    nothing = np.full(3, np.nan)
    entry = np.ones(3, np.int8)
    assert not hold(View(drawn([QUIET] * 3), 1), entry, entry, nothing, nothing).any()


def test_so_many_entries_a_day() -> None:
    c = drawn([QUIET, (10, 10, 9.5, 9.5)] * 3, begin=BEGIN + 20 * 3_600_000)
    reason = [1, 0] * 3
    assert held(c, [1, 0] * 3, reason=reason, per_day=1) == [1, 0, 0, 0, 1, 0]
    assert held(c, [1, 0] * 3, reason=reason) == [1, 0] * 3


def test_a_day_is_over_at_one_r_either_way() -> None:
    lost = drawn([QUIET, DOWN, QUIET, QUIET], begin=BEGIN)
    assert held(lost, [1, 0, 1, 0], day_r=1.0) == [1, 0, 0, 0]
    won = drawn([QUIET, UP, QUIET, QUIET], begin=BEGIN + 22 * 3_600_000)
    assert held(won, [1, 0, 1, 0], day_r=1.0) == [1, 0, 1, 1]  # the third bar is another day's
    half = drawn([QUIET, (10, 10, 9.5, 9.5), QUIET, QUIET], begin=BEGIN)
    assert held(half, [1, 0, 1, 0], reason=[1, 0, 1, 1], day_r=1.0) == [1, 0, 1, 1]


def test_a_pullback_reaches_the_line_and_is_bought_back() -> None:
    rows = [(11, 12, 11, 12), (11, 12, 9, 11.5), (11.5, 12, 9, 11), (9, 10, 8, 9.5), (9, 12, 9, 9.5), (9.5, 10, 8, 9)]
    line = np.full(6, 10.0)
    assert pullbacks(View(drawn(rows), 1), np.ones(6, np.int8), line).tolist() == [0, 1, 0, 0, 0, 0]
    assert pullbacks(View(drawn(rows), 1), np.full(6, -1, np.int8), line).tolist() == [0, 0, 0, 0, 0, -1]
