"""How long `quant.backtest` takes on 350,000 bars: the first time, and afterwards. Whole processes.

The package is copied to where no kernel of it was ever compiled, as a checkout is, and run by the environment that
users have. `./inv` compiles the kernels when it has made that environment, before anything is asked: that is measured
by itself, then the first question after it; and the first question where nothing is compiled, as after a kernel
changed.
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
        nothing = timed(home)
        shutil.rmtree(home / "lib/.cache")
        began = time.perf_counter()
        ran(home, "-m", "quant.prepare")
        prepared_in = time.perf_counter() - began
        first = timed(home)
        again = [timed(home) for _ in range(ROUNDS)]
    yield Figure("quant: kernels compiled with the environment", prepared_in, "s", note="once, by ./inv")
    yield Figure("quant.backtest of 350,000 bars, first ever", first, "s", target=3.0, note="environment just made")
    yield Figure("quant.backtest of 350,000 bars, nothing compiled", nothing, "s", note="as after a kernel changed")
    yield median("quant.backtest of 350,000 bars, afterwards", again, target=1.2)


def prepared(home: Path) -> Path:
    """A checkout of what is needed: data, reports and compiled code go into it."""
    for name in ("quant", "runtime"):
        shutil.copytree(ROOT / name, home / "lib" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "inventory.yaml", home / "lib")
    (home / "lib/journal.md").write_text("# Journal\n")  # each run has an entry, as in a checkout
    (home / "config.yaml").write_text(CONFIG)
    ran(home, "-c", CANDLES)
    return home


def timed(home: Path) -> float:
    shutil.rmtree(home / "lib/reports", ignore_errors=True)
    began = time.perf_counter()
    said = ran(home, "-m", "quant.backtest", "--config", "config.yaml", "--json")
    took = time.perf_counter() - began
    if json.loads(said)["metrics"]["bars"] != BARS:
        raise RuntimeError("the backtest is of other bars")
    return took


def ran(home: Path, *words: str) -> str:
    environ = os.environ | {"PYTHONPATH": str(home / "lib")}
    command = [str(PYTHON), "-P", *words]
    return subprocess.run(command, cwd=home, env=environ, stdout=subprocess.PIPE, text=True, check=True).stdout
