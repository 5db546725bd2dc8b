"""Five exchanges through real ccxt: what is asked for comes, whatever happens on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import pytest

from tests.fakes.exchange import REFUSALS, ROWS, Market
from tests.fakes.exchange_market import now_ms
from tests.quant.fetch.kit import DAY, HOUR, MINUTE, Fetching, same

NAMES = ("binance", "binanceusdm", "bybit", "bitget", "okx")
PERPETUALS = ("binance", "binanceusdm", "bybit", "bitget", "okx")
STEP = 15 * MINUTE
TROUBLE = [one for one in (*REFUSALS, "reset", "cut", "short", "html", *ROWS) if one != "403"]


def symbol(name: str) -> str:
    return "BTC/USDT:USDT" if name == "binanceusdm" else "BTC/USDT"


def gapped() -> Market:
    """A gap within a page, one of several pages, and single bars that are missing."""
    now = now_ms() // STEP * STEP
    gaps = [(now - 20 * HOUR, now - 13 * HOUR), (now - 60 * DAY, now - 40 * DAY)]
    return Market(gaps=[*gaps, *((now - at * STEP, now - (at - 1) * STEP) for at in (500, 503, 7000))])


@pytest.mark.parametrize("name", NAMES)
def test_ten_thousand_asked_are_ten_thousand_whatever_goes_wrong(fetching: Callable[..., Fetching], name: str) -> None:
    market = gapped()
    faults = deque(["", *(word for fault in TROUBLE for word in (fault, ""))])
    fetch = fetching(name, symbol(name), markets=[market], faults=faults, retry_after=lambda: "0.05")
    assert fetch("--bars", "10000") == 0, fetch.err
    candles = fetch.stored()
    assert len(candles) == 10_000
    assert not fetch.exchange.faults
    assert same(candles, market)
    assert "10,000 bars fetched" in fetch.out
    assert "5 gaps, 1,951 bars missing at the exchange: 1,920 from" in fetch.out


@pytest.mark.parametrize("name", PERPETUALS)
def test_a_perpetual_s_bars_and_its_funding_rates(fetching: Callable[..., Fetching], name: str) -> None:
    fetch = fetching(name, "BTC/USDT:USDT")
    assert fetch("--bars", "3000", "--funding") == 0, fetch.err
    candles, rates = fetch.stored(), fetch.rates()
    assert len(candles) == 3000
    assert same(candles, fetch.exchange.markets[0])
    first, last = int(candles.time[0]), int(candles.time[-1]) + STEP - 1
    wanted = fetch.exchange.markets[0].settlements(first, last, now_ms())
    assert rates is not None
    assert list(zip(rates.time.tolist(), rates.rate.tolist(), strict=True)) == [(t, float(r)) for t, r in wanted]
    asked = len(fetch.exchange.of("rates"))
    assert fetch("--bars", "3000", "--funding") == 0
    assert "0 bars fetched" in fetch.out
    assert "0 funding rates fetched" in fetch.out
    assert len(fetch.exchange.of("rates")) - asked <= 4


@pytest.mark.parametrize("name", NAMES)
def test_from_a_date_on_and_before_another(fetching: Callable[..., Fetching], name: str) -> None:
    """Years before the listing cost a look at the days, not thousands of pages."""
    listed = now_ms() - 100 * DAY + 12_345
    market = Market(listed=listed)
    fetch = fetching(name, symbol(name), "1h", markets=[market])
    until = now_ms() - 10 * DAY
    assert fetch("--since", "2012-01-01", "--until", np.datetime_as_string(np.datetime64(until, "ms"))) == 0, fetch.err
    candles = fetch.stored()
    assert 0 <= listed - candles.time[0] < HOUR
    assert 0 <= until - candles.time[-1] <= HOUR
    assert len(candles) == (candles.time[-1] - candles.time[0]) // HOUR + 1
    assert same(candles, market)
    assert len(fetch.exchange.of("bars")) < 40


@pytest.mark.parametrize("name", NAMES)
def test_an_exchange_that_has_fewer_gives_what_it_has(fetching: Callable[..., Fetching], name: str) -> None:
    market = Market(listed=now_ms() - 9 * DAY)
    fetch = fetching(name, symbol(name), "1h", markets=[market])
    assert fetch("--bars", "10000") == 0, fetch.err
    assert len(fetch.stored()) in (9 * 24, 9 * 24 + 1)
    assert same(fetch.stored(), market)
    assert len(fetch.exchange.of("bars")) < 25
