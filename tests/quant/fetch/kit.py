"""What tests of fetching share: the command against a fake exchange, and the bars it must have brought."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.paths import ROOT
from quant.candles import COLUMNS, Candles
from quant.cli import main
from quant.dataset import Dataset, Funding
from quant.fetch.command import parser, run
from tests.fakes.exchange import Exchange
from tests.fakes.exchange_market import Market, now_ms

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@dataclass
class Fetching:
    """`python -m quant.fetch` for one series, in this process or in one of its own."""

    exchange: Exchange
    folder: Path
    capsys: pytest.CaptureFixture[str]
    symbol: str = "BTC/USDT"
    tf: str = "15m"
    settings: str = "timeout: 1"
    out: str = ""
    err: str = ""

    def words(self, *flags: str) -> list[str]:
        config = self.folder / "config.yaml"
        config.write_text(
            f"data: {{symbol: '{self.symbol}', timeframe: {self.tf}, url: {self.folder}/data}}\n"
            f"exchange: {{id: {self.exchange.name}, {self.settings}}}\n"
        )
        return ["--config", str(config), "--api-url", self.exchange.url, *flags]

    def __call__(self, *flags: str) -> int:
        code = main(parser(), run, self.words(*flags))
        self.out, self.err = self.capsys.readouterr()
        return code

    def started(self, *flags: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """In a process of its own."""
        words = [sys.executable, "-P", "-m", "quant.fetch", *self.words(*flags)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)

    @property
    def dataset(self) -> Dataset:
        return Dataset(f"{self.folder}/data")

    def stored(self) -> Candles:
        return self.dataset.load(self.symbol, self.tf, self.exchange.name)

    def rates(self) -> Funding | None:
        return self.dataset.funding(self.symbol, self.exchange.name)

    def files(self) -> list[Path]:
        return [path for path in (self.folder / "data").rglob("*") if path.is_file()]


def same(candles: Candles, market: Market, now: int | None = None) -> bool:
    """What is stored is what the market has there, to the last bit, and all of it, and finished."""
    step, now = candles.timeframe.ms, now or now_ms()
    first, last = int(candles.time[0]), int(candles.time[-1])
    bars = market.bars(step, first, last, now)
    rows = list(zip(*(getattr(candles, name).tolist() for name in COLUMNS), strict=True))
    return last + step <= now and rows == [(bar[0], *map(float, bar[1:])) for bar in bars]
