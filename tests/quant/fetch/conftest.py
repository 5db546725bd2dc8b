"""A fake exchange for each test that wants one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.exchange import Exchange
from tests.quant.fetch.kit import Fetching


@pytest.fixture
def fetching(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Fetching]]:
    """fetching(name, symbol, timeframe, **settings of the fake)."""
    with ExitStack() as stack:

        def made(name: str = "binance", symbol: str = "BTC/USDT", tf: str = "15m", **fake: Any) -> Fetching:
            return Fetching(stack.enter_context(Exchange(name, **fake)), tmp_path, capsys, symbol, tf)

        yield made
