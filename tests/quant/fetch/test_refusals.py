"""What cannot be had: one clear error, nothing stored; and what can be had later is waited for."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import pytest

from quant.cli import main
from quant.fetch.command import parser, run
from runtime import clock
from tests.fakes.exchange import Market
from tests.fakes.exchange_market import now_ms
from tests.quant.fetch.kit import DAY, Fetching

UNDER_WAY = 1.5
"""Seconds: what was sent before the answer came has arrived by then, on a busy machine too."""


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("BTC/USTD", "did you mean BTC/USDT"),
        ("btc-usdt", "did you mean BTC/USDT"),
        ("ETHUSD", "did you mean ETH/USDT"),
        ("ZZZ/QQQ", "binance has 2 others"),
    ],
)
def test_an_unknown_symbol_is_told_with_its_nearest(fetching: Callable[..., Fetching], symbol: str, words: str) -> None:
    fetch = fetching(symbol=symbol)
    assert fetch("--bars", "10") == 2
    assert f"error: binance has no symbol {symbol!r}" in fetch.err
    assert words in fetch.err
    assert not fetch.files()


def test_a_perpetual_may_be_called_by_its_pair_where_it_is_the_only_one(fetching: Callable[..., Fetching]) -> None:
    """What is stored has the name that was asked for, so config.yaml finds it."""
    fetch = fetching("binanceusdm", "BTC/USDT")
    assert fetch("--bars", "10") == 0
    assert "BTC/USDT is BTC/USDT:USDT at binanceusdm" in fetch.err
    assert len(fetch.stored()) == 10
    fetch.symbol = "BTCUSDT"
    assert fetch("--bars", "10") == 0


def test_wrong_uses(fetching: Callable[..., Fetching], capsys: pytest.CaptureFixture[str]) -> None:
    fetch = fetching(tf="7m")
    for flags, words in (
        (["--bars", "10"], "binance has no candles of 7m"),
        (["--tf", "15m"], "nothing is stored of binance BTC/USDT yet: how far back?"),
        (["--tf", "15m", "--bars", "0"], "--bars 0: at least 1"),
        (["--exchange", "binanze", "--bars", "1"], "did you mean binance"),
        (["--tf", "15m", "--bars", "1", "--api-url", "localhost:1"], "'localhost:1' is no address"),
        (["--tf", "15m", "--since", "2024-02-01", "--until", "2024-01-01"], "is not later than since"),
        (["--tf", "15m", "--bars", "1", "--funding"], "BTC/USDT is no perpetual"),
        (["--tf", "15m", "--since", "yesterday"], "data.since"),
    ):
        assert fetch(*flags) == 2, flags
        assert words in fetch.err
        assert fetch.err.startswith("error: ")
    assert main(parser(), run, ["--symbol", "BTC/USDT"]) == 2
    assert "--exchange, --tf missing" in capsys.readouterr().err
    assert not fetch.files()


def test_without_a_network_there_is_one_error_within_seconds(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        began = time.monotonic()
        assert fetch("--bars", "10", "--api-url", url) == 1
    assert time.monotonic() - began < 10
    assert f"error: binance cannot be reached at {url}" in fetch.err
    assert "is the network up" in fetch.err
    assert "Traceback" not in fetch.err
    assert not fetch.files()


def test_what_an_exchange_refuses_is_asked_once(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching()
    fetch.exchange.faults.extend(["403"] * 9)
    assert fetch("--bars", "10") == 1
    assert "some exchanges refuse some countries" in fetch.err
    assert len(fetch.exchange.of("bars")) == 1
    assert not fetch.files()


@pytest.mark.parametrize("fault", ["429", "418"])
def test_retry_after_is_kept_by_all_threads(fetching: Callable[..., Fetching], fault: str) -> None:
    """Seconds, or a date."""
    fetch = fetching("bybit", tf="1m")
    fetch.exchange.retry_after = lambda: (
        "3" if fault == "429" else format_datetime(clock.now() + timedelta(seconds=4), usegmt=True)
    )
    fetch.exchange.faults.extend(["", "", "", "", fault])
    assert fetch("--bars", "20000") == 0
    asked = fetch.exchange.of("bars")
    refused = next(one.at for one in asked if one.status == int(fault))
    later = [one.at - refused for one in asked if one.at - refused > UNDER_WAY]
    assert min(later) > 2.9, fetch.err
    assert len(fetch.stored()) == 20_000
    assert f"(HTTP {fault}): again in" in fetch.err


def test_a_ban_is_told_and_not_waited_for(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching()
    fetch.exchange.retry_after = lambda: "7200"
    fetch.exchange.faults.append("418")
    assert fetch("--bars", "10") == 1
    assert "has shut us out for too many requests (HTTP 418), for 120 minutes" in fetch.err


def test_it_gives_up_after_the_retries_that_the_settings_allow(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching()
    fetch.settings = "retries: 1, timeout: 0.3"
    fetch.exchange.faults.extend(["hang", "hang", "hang"])
    assert fetch("--bars", "10") == 1
    assert "error: binance gave no answer within 0.3 s" in fetch.err
    assert len(fetch.exchange.of("bars")) == 2


def test_rubbish_alone_is_an_error(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching()
    fetch.exchange.faults.extend(["", *["nones"] * 9])
    assert fetch("--bars", "100") == 1
    assert "rows for BTC/USDT that are no candles" in fetch.err
    assert not fetch.files()


def test_no_bars_at_that_time(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching(markets=[Market(listed=now_ms() - DAY)])
    assert fetch("--since", "2020-01-01", "--until", "2020-02-01") == 1
    assert "binance has no finished bars of BTC/USDT 15m then" in fetch.err
    assert not fetch.files()
