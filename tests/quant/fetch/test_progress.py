"""What a person sees: a bar that moves on a terminal, nothing that blinks elsewhere."""

from __future__ import annotations

import os
import pty
from collections.abc import Callable

import pytest

from quant.fetch import progress
from tests.quant.fetch.kit import Fetching


def test_on_a_terminal_a_bar_moves(fetching: Callable[..., Fetching]) -> None:
    fetch = fetching(latency=0.05)
    fetch.exchange.faults.extend(["", "", "", "503"])
    ours, theirs = pty.openpty()
    with fetch.started("--bars", "10000", stderr=theirs) as process:
        os.close(theirs)
        out, _ = process.communicate(timeout=60)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65_536)
        except OSError:
            break
    os.close(ours)
    assert process.returncode == 0
    assert "10,000 bars fetched" in out
    text = shown.decode()
    assert "10000/10000" in text.replace("10,000", "10000")
    assert "━" in text
    assert "binance is out of order (HTTP 503): again in 0.5 s" in text


def test_elsewhere_a_line_now_and_then(fetching: Callable[..., Fetching], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    fetch = fetching()
    assert fetch("--bars", "3000") == 0
    assert "binance BTC/USDT 15m: 999 bars, 2,001 to come" in fetch.err
    assert "\r" not in fetch.err
    assert "\x1b" not in fetch.err
    assert fetch.out.startswith("binance BTC/USDT 15m: 3,000 bars fetched in ")


def test_the_command_is_told_in_the_table_of_contents(fetching: Callable[..., Fetching]) -> None:
    with fetching().started("--help") as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    for flag in (
        "--config",
        "--exchange",
        "--symbol",
        "--tf",
        "--since",
        "--until",
        "--bars",
        "--funding",
        "--api-url",
    ):
        assert flag in out
