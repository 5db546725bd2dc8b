"""How long `quant.backtest` takes on 350,000 bars: with nothing compiled yet, and afterwards. Whole processes.

The package is copied to where no kernel of it was ever compiled, and run by the environment that users have.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, median
from ops.paths import ROOT

BARS = 350_000
ROUNDS = 7
PYTHON = ROOT / ".venv-quant/bin/python"
CONFIG = """\
data: {symbol: BTC/USDT, timeframe: 15m}
strategy: {name: ma_cross, params: {fast: 50, slow: 400}}
exits: {stop_atr: 3}
"""
CANDLES = f"""
import numpy as np
from quant.candles import Candles
from quant.dataset import Dataset
from quant.timeframe import Timeframe
random, tf = np.random.default_rng(1), Timeframe.of("15m")
close = np.round(30_000 * np.cumprod(1 + random.normal(0, 2e-3, {BARS})), 1)
start, wick = np.concatenate([close[:1], close[:-1]]), np.round(np.abs(random.normal(0, 20, {BARS})), 1)
high, low = np.round(np.maximum(start, close) + wick, 1), np.round(np.minimum(start, close) - wick, 1)
low = np.maximum(low, 0.1)
time = 1_420_070_400_000 + np.arange({BARS}) * tf.ms
Dataset("data").add(Candles("test", "BTC/USDT", tf, time, start, high, low, close, np.ones({BARS})))
"""


def figures() -> Iterator[Figure]:
    """Seconds, from the command to its end."""
    with tempfile.TemporaryDirectory() as folder:
        home = prepared(Path(folder))
        first = timed(home)
        again = [timed(home) for _ in range(ROUNDS)]
    yield Figure("quant.backtest of 350,000 bars, first ever", first, "s", target=3.0)
    yield median("quant.backtest of 350,000 bars, afterwards", again, target=1.2)


def prepared(home: Path) -> Path:
    """No checkout: data, reports and compiled code go into it."""
    for name in ("quant", "runtime"):
        shutil.copytree(ROOT / name, home / "lib" / name, ignore=shutil.ignore_patterns("__pycache__"))
    (home / "config.yaml").write_text(CONFIG)
    ran(home, "-c", CANDLES)
    return home


def timed(home: Path) -> float:
    shutil.rmtree(home / "reports", ignore_errors=True)
    began = time.perf_counter()
    said = ran(home, "-m", "quant.backtest", "--config", "config.yaml", "--json")
    took = time.perf_counter() - began
    if json.loads(said)["metrics"]["bars"] != BARS:
        raise RuntimeError("the backtest is of other bars")
    return took


def ran(home: Path, *words: str) -> str:
    environ = os.environ | {"PYTHONPATH": str(home / "lib"), "NUMBA_CACHE_DIR": str(home / "compiled")}
    command = [str(PYTHON), "-P", *words]
    return subprocess.run(command, cwd=home, env=environ, stdout=subprocess.PIPE, text=True, check=True).stdout
