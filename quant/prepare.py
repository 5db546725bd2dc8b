"""`python -m quant.prepare`: compile every kernel now, so that no question has to wait for it.

`./inv` does it when it makes the environment. What is compiled depends on the types of what a kernel is given, so it is
found by asking: each strategy and each kind of sweep over a few made-up candles. Two processes share the work.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from quant import cli, strategies
from quant.candles import Candles
from quant.config import Config, parse
from quant.engine import run as simulated
from quant.indicators import View
from quant.metrics import measure
from quant.sweep.work import Study, evaluate
from quant.timeframe import Timeframe

BARS = 20_000
"""So many that each strategy's averages of a higher timeframe are there."""
PAIRS = ({"fast": 5, "slow": 20}, {"fast": 10, "slow": 30})
HALF = "--signals"
"""What the second process is told: strategies and the sweeps' own kernel. The first has the engine's."""


def parser() -> cli.Parser:
    made = cli.Parser(prog="python -m quant.prepare", description="Compile what backtests and sweeps will need.")
    made.add_argument(HALF, dest="signals", action="store_true", help="only strategies and the kernel of sweeps")
    return made


def run(signals: bool = False) -> int:
    if signals:
        return _signals()
    with subprocess.Popen([sys.executable, "-P", "-m", "quant.prepare", HALF]) as other:
        study = _study("ma_cross")
        measure(simulated(study.config, study.candles))
        evaluate(study.config, study.candles, None, PAIRS)
    return other.returncode


def _signals() -> int:
    for name in strategies.names():
        study = _study(name)
        strategy = strategies.get(name)
        strategy.signals(View(study.candles, 0.1), strategy.complete({}))
    study = _study("ma_cross", stop=False)
    evaluate(study.config, study.candles, None, PAIRS)
    return 0


def _study(strategy: str, stop: bool = True) -> Study:
    config: Config = parse(
        {
            "data": {"symbol": "WALK/USDT", "timeframe": "15m"},
            "strategy": {"name": strategy},
            "exits": {"stop_atr": 3} if stop else {},
            "sizing": {"mode": "volatility" if stop else "fraction"},
        }
    )
    return Study(config, _walk())


def _walk() -> Candles:
    random, tf = np.random.default_rng(1), Timeframe.of("15m")
    close = np.round(30_000 * np.exp(np.cumsum(random.normal(0, 2e-3, BARS))), 1)
    opens = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opens, close) + 1, np.minimum(opens, close) - 1
    return Candles("made", "WALK/USDT", tf, np.arange(BARS) * tf.ms, opens, high, low, close, np.ones(BARS))


if __name__ == "__main__":
    sys.exit(cli.main(parser(), lambda given: run(given.signals)))
