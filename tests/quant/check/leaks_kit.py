"""Strategies that deceive themselves, each in a way that people do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quant.config import Config, parse
from quant.indicators import View, side_of
from quant.strategy import Params, Signals, Strategy

HOUR = 3_600_000


def config(name: str = "x", **sections: object) -> Config:
    return parse({"data": {"symbol": "BTC/USDT", "timeframe": "15m"}, "strategy": {"name": name}} | sections)


def strategy(signals: Callable[[View, Params], Signals]) -> Strategy:
    return Strategy(signals.__name__, "", (), signals, lambda _: 1)


def joined_by_open(view: View) -> tuple[np.ndarray, np.ndarray]:
    """For each quarter the open and close of the hour it lies in, as a join by the hour's open gives them."""
    c = view.candles
    hour = c.time // HOUR
    first = np.flatnonzero(np.diff(hour, prepend=hour[:1] - 1))
    which = np.searchsorted(first, np.arange(len(c)), side="right") - 1
    last = np.append(first[1:], len(c)) - 1
    return c.open[first][which], c.close[last][which]


def higher_average(view: View, _: Params) -> Signals:
    """Above the average of 20 hourly closes, the hour's own among them, from its first quarter on."""
    _, close = joined_by_open(view)
    hours = close[3::4]
    average = np.convolve(hours, np.ones(20) / 20)[: len(hours)]
    average[:19] = np.nan
    spread = np.repeat(average, 4)
    return Signals(side_of(close, np.resize(np.append(spread, [np.nan] * 4), len(close))))


def bar_direction(view: View, _: Params) -> Signals:
    """Long in the hours that rise."""
    open_, close = joined_by_open(view)
    return Signals(side_of(close, open_))


def next_bar(view: View, _: Params) -> Signals:
    """A shift in the wrong direction."""
    close = view.candles.close
    return Signals(side_of(np.append(close[1:], close[-1:]), close))


def centred(view: View, _: Params) -> Signals:
    """A smoother that sees both sides."""
    close = view.candles.close
    return Signals(side_of(np.convolve(close, np.ones(9) / 9, "same"), close))


def whole_mean(view: View, _: Params) -> Signals:
    """Cheap and dear by the mean of all there is, the future too."""
    close = view.candles.close
    return Signals(side_of(np.full(len(close), close.mean() if len(close) else 0.0), close))


def best_stop(view: View, _: Params) -> Signals:
    """Sides are honest; the stop is where the next bars do not reach."""
    c = view.candles
    ahead = np.append(c.low[1:], c.low[-1:])
    return Signals(view.averages_side(5, 20), stop=np.maximum(c.close - ahead, 0.01) + 1)


LEAKY = {
    one.__name__: strategy(one) for one in (higher_average, bar_direction, next_bar, centred, whole_mean, best_stop)
}


def raises(view: View, _: Params) -> Signals:
    raise ZeroDivisionError("no average of nothing")


def raises_on_few(view: View, params: Params) -> Signals:
    return Signals(np.zeros(len(view.candles), np.int8)) if len(view.candles) > 7000 else raises(view, params)


def too_short(view: View, _: Params) -> Signals:
    return Signals(view.averages_side(2, 5)[1:])


def not_a_side(view: View, _: Params) -> Signals:
    return Signals(np.full(len(view.candles), np.nan))  # type: ignore[arg-type]


FAILING = {one.__name__: strategy(one) for one in (raises, raises_on_few, too_short, not_a_side)}
