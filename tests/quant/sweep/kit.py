"""Candles, configurations, and the command as a program of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ops.paths import ROOT
from quant.candles import Candles
from quant.config import Config, parse
from quant.sweep.work import Study
from quant.timeframe import Timeframe

QUARTER = Timeframe.of("15m")
START = 1_704_067_200_000
"""2024-01-01."""
DATA = {"symbol": "BTC/USDT", "timeframe": "15m"}


def walk(n: int, *, step: float = 0.003, tick: float = 0.1, seed: int = 1) -> Candles:
    """A random walk around 30,000 whose prices are multiples of `tick`, and whose opens are beside the last closes."""
    random = np.random.default_rng(seed)
    close = rounded(30_000 * np.cumprod(1 + random.normal(0, step, n)), tick)
    start = rounded(np.concatenate([close[:1], close[:-1]]) * (1 + random.normal(0, step / 10, n)), tick)
    wick = np.abs(random.normal(0, 30_000 * step / 3, n))
    high, low = rounded(np.maximum(start, close) + wick, tick), rounded(np.minimum(start, close) - wick / 50, tick)
    time = START + np.arange(n, dtype=np.int64) * QUARTER.ms
    return Candles("test", "BTC/USDT", QUARTER, time, start, high, np.maximum(low, tick), close, np.ones(n))


def rounded(prices: Any, tick: float) -> Any:
    return np.round(np.maximum(np.rint(prices / tick), 1) * tick, 10)


def config(**sections: Any) -> Config:
    return parse({"data": DATA, **sections})


def study(candles: Candles, **sections: Any) -> Study:
    return Study(config(**sections), candles)


def written(home: Path, sections: Mapping[str, Any]) -> Path:
    path = home / "config.yaml"
    path.write_text(yaml.safe_dump({"data": DATA, **sections}, sort_keys=False))
    return path


def started(home: Path, *words: str) -> subprocess.Popen[str]:
    """`python -m quant.sweep` at this home."""
    program = (
        "import pathlib, sys; from quant import cli, places; places.home = lambda: pathlib.Path(sys.argv[1]); "
        "from quant.sweep import __main__ as sweep; sys.exit(cli.main(sweep.parser(), sweep.run, sys.argv[2:]))"
    )
    command = [sys.executable, "-P", "-c", program, str(home), "--config", str(home / "config.yaml"), *words]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
