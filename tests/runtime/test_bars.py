"""Bars drawn by hand, and the fills that they must give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.payload import Invalid
from runtime.router.bars import Bar, Fill, Levels, Mark, length, settle

NOON = datetime(2026, 2, 17, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LONG, SHORT = Levels("LONG", 1995, 2010), Levels("SHORT", 2005, 1990)

#        open  high  low   close
DRAWN: list[tuple[Levels, tuple[float | None, float, float, float], Fill | Mark]] = [
    (LONG, (2000, 2004, 1996, 2003), Mark(2003)),
    (LONG, (2000, 2004, 1995, 2003), Fill(1995, "stop")),  # touched
    (LONG, (None, 2004, 1990, 2003), Fill(1995, "stop")),
    (LONG, (2000, 2010, 1999, 2008), Fill(2010, "target")),  # touched
    (LONG, (2000, 2015, 1999, 2012), Fill(2010, "target")),
    (LONG, (2000, 2015, 1990, 2012), Fill(1995, "stop")),  # both: the stop
    (LONG, (None, 2015, 1990, 2012), Fill(1995, "stop")),
    (LONG, (1985, 1992, 1980, 1990), Fill(1985, "stop")),  # opened below the stop
    (LONG, (1985, 2020, 1980, 2015), Fill(1985, "stop")),
    (LONG, (2020, 2025, 2015, 2018), Fill(2010, "target")),  # opened above the target: no more than the target
    (LONG, (2020, 2025, 1990, 1992), Fill(2010, "target")),  # and the stop came later
    (LONG, (None, 1992, 1980, 1990), Fill(1995, "stop")),  # no open: nothing is known of a gap
    (SHORT, (2000, 2004, 1991, 1995), Mark(1995)),
    (SHORT, (2000, 2005, 1991, 1995), Fill(2005, "stop")),
    (SHORT, (2000, 2004, 1990, 1995), Fill(1990, "target")),
    (SHORT, (2000, 2006, 1985, 1995), Fill(2005, "stop")),
    (SHORT, (2020, 2025, 2010, 2015), Fill(2020, "stop")),
    (SHORT, (1980, 1985, 1975, 1982), Fill(1990, "target")),
    (Levels("LONG", 1995, None), (2000, 9000, 1996, 8000), Mark(8000)),
    (Levels("LONG", 1995, 0), (2000, 9000, 1996, 8000), Mark(8000)),
    (Levels("SHORT", None, 1990), (2000, 9000, 1991, 8000), Mark(8000)),
]


def drawn(prices: tuple[float | None, float, float, float], **when: Any) -> Bar:
    opening, high, low, close = prices
    return Bar(high, low, close, opening, **when)


@pytest.mark.parametrize(("trade", "prices", "result"), DRAWN)
def test_drawn_bars(trade: Levels, prices: tuple[float | None, float, float, float], result: Fill | Mark) -> None:
    assert settle(drawn(prices), trade) == result
    later = Levels(trade.side, trade.stop, trade.tp, NOON)
    assert settle(drawn(prices, ts=NOON, tf=QUARTER), later) == result


CRASH = (2000.0, 2003.0, 1990.0, 2001.0)


@pytest.mark.parametrize(
    ("minutes", "tf", "prices", "result"),
    [
        (15, QUARTER, CRASH, None),  # the bar whose close raised the signal
        (15, None, CRASH, None),
        (5, None, CRASH, None),
        (5, QUARTER, CRASH, Mark(2001)),  # it opened within: the range may be older than the trade
        (5, QUARTER, (2000, 2003, 1990, 1994), Fill(1995, "stop")),  # but the close is not
        (5, QUARTER, (2000, 2012, 1990, 2011), Fill(2010, "target")),
        (0, QUARTER, CRASH, Fill(1995, "stop")),
        (1 / 60, QUARTER, CRASH, Fill(1995, "stop")),  # the alert took a second
        (1 / 60, None, CRASH, Fill(1995, "stop")),
        (-15, None, CRASH, Fill(1995, "stop")),
    ],
)
def test_a_bar_older_than_the_trade_changes_nothing(minutes: float, tf: Any, prices: Any, result: Any) -> None:
    bar = drawn(prices, ts=NOON - timedelta(minutes=minutes), tf=tf)
    assert settle(bar, Levels("LONG", 1995, 2010, NOON)) == result


def test_without_a_time_or_an_opening_the_bar_counts() -> None:
    assert settle(drawn(CRASH), Levels("LONG", 1995, 2010, NOON)) == Fill(1995, "stop")
    assert settle(drawn(CRASH, ts=NOON, tf=QUARTER), LONG) == Fill(1995, "stop")


@pytest.mark.parametrize(
    ("prices", "field"),
    [((2000, 1990, 1995, 1992), "low"), ((2010, 2005, 1995, 2000), "open"), ((2000, 2005, 1995, 2006), "close"),
     ((None, 2005, 1995, 1994), "close")],
)  # fmt: skip
def test_a_bar_that_contradicts_itself(prices: Any, field: str) -> None:
    with pytest.raises(Invalid, match=f"^{field}: "):
        drawn(prices)


@pytest.mark.parametrize(
    ("tf", "minutes"),
    [("15", 15), ("60", 60), ("1H", 60), ("4h", 240), ("M5", 5), ("m15", 15), ("H1", 60), ("5m", 5), ("D", 1440),
     ("1D", 1440), ("W", 10080), ("30S", 0.5), ("-", None), ("", None), ("1M", None), ("0", None), ("soon", None)],
)  # fmt: skip
def test_time_frames(tf: str, minutes: float | None) -> None:
    assert length(tf) == (None if minutes is None else timedelta(minutes=minutes))


PRICES = st.integers(1, 60)


@given(st.sampled_from(["LONG", "SHORT"]), st.lists(PRICES, min_size=4, max_size=4), st.booleans(), PRICES, PRICES)
def test_never_better_than_the_level_and_never_outside_what_was_traded(
    side: Any, prices: list[int], with_open: bool, stop: int, tp: int
) -> None:
    low, *between, high = sorted(prices)
    bar = Bar(high, low, between[0], between[1] if with_open else None)
    stop, tp = (min(stop, tp), max(stop, tp) + 1) if side == "LONG" else (max(stop, tp) + 1, min(stop, tp))
    fill, sign = settle(bar, Levels(side, stop, tp)), 1 if side == "LONG" else -1
    if isinstance(fill, Fill) and fill.why == "stop":
        assert fill.price * sign <= stop * sign
    elif isinstance(fill, Fill):
        assert fill.price == tp
    else:
        assert fill == Mark(between[0])
        assert min(stop, tp) < low <= high < max(stop, tp)
