"""What the engine takes for a bar, for each combination of a sweep, and how long it takes to be compiled.

Alone: OPS_VENV=quant ./inv -m benchmarks.quant.engine
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import Figure, fastest, machine, save, show
from ops.paths import CACHE
from quant.candles import Candles
from quant.config import Config, parse
from quant.engine import Scratch, Spec, simulate
from quant.indicators import View
from quant.strategies import get
from quant.sweep import tiles
from quant.timeframe import Timeframe

BARS = 350_000
ROUNDS = 25
FILE = CACHE / "bench-quant-engine.json"
PAIRS = [{"fast": fast, "slow": slow} for fast in (10, 20, 30) for slow in (75, 100, 150, 200)]
COLD = """
import sys, time
import numpy as np
from pathlib import Path
from quant import compiled
compiled.folder = lambda: Path(sys.argv[1])
from benchmarks.quant.engine import Bed
bed = Bed.of(1000)
began = time.perf_counter()
bed.simulated()
sys.stdout.write(str(time.perf_counter() - began))
"""


@dataclass
class Bed:
    """A random walk in cents, and a study of it: a higher timeframe, an ATR stop, a volatility target, costs."""

    candles: Candles
    config: Config
    view: View
    scratch: Scratch

    @classmethod
    def of(cls, bars: int) -> Bed:
        candles = walk(bars)
        config = parse(
            {
                "data": {"symbol": "WALK/USDT", "timeframe": "15m"},
                "strategy": {"name": "trend_atr"},
                "sizing": {"mode": "volatility"},
                "instrument": {"max_leverage": 3, "qty_step": 0.001},
                "costs": {"slippage": 0.0001},
            }
        )
        return cls(candles, config, View(candles, 0.01), Scratch(bars))

    def simulated(self) -> None:
        """The kernel and what surrounds it, for signals that are there already."""
        strategy = get("trend_atr")
        signals = self.view.once("signals", lambda: strategy.signals(self.view, strategy.complete({})))
        simulate(self.candles, signals, Spec.of(self.config, self.candles, 0.01, self.view), None, self.scratch)

    def combinations(self) -> list[dict[str, float]]:
        """All of it, as a sweep does it: signals, simulation, measures."""
        choices = [self.config.strategy.model_copy(update={"params": dict(pair)}) for pair in PAIRS]
        configs = [self.config.model_copy(update={"strategy": choice}) for choice in choices]
        return tiles.measured([(config, self.view) for config in configs], None)


def walk(bars: int) -> Candles:
    random = np.random.default_rng(6)
    close = np.round(20_000 * np.exp(np.cumsum(random.normal(0, 0.002, bars))), 2)
    opens = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opens, close) + np.round(random.exponential(10, bars), 2)
    low = np.minimum(opens, close) - np.round(random.exponential(10, bars), 2)
    quarter = Timeframe.of("15m")
    return Candles("bench", "WALK/USDT", quarter, np.arange(bars) * quarter.ms, opens, high, low, close, np.ones(bars))


def figures() -> Iterator[Figure]:
    """What is worked out once for a series (averages, the higher timeframe, ATR, volatility) is there before."""
    bed = Bed.of(BARS)
    yield from per_bar("engine: one simulation, ATR stop and volatility target", bed.simulated, 1, 6)
    yield from per_bar("engine: signals, simulation and all measures", bed.combinations, len(PAIRS), 11)
    yield Figure("engine: the kernel compiled for the first time", cold(), "s", note="later from its cache")


def per_bar(name: str, job: Callable[[], object], combinations: int, target: float) -> Iterator[Figure]:
    """The fastest of several rounds: what others on the machine take is not the engine's."""
    samples = []
    for turn in range(ROUNDS + 1):
        began = time.perf_counter()
        job()
        if turn:
            samples.append((time.perf_counter() - began) / combinations / BARS * 1e9)
    yield fastest(name, samples, "ns", target=target, note="a bar and a combination")


def cold() -> float:
    """In a process of its own, with an empty cache; Python, numba and indicators are not in it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-c", COLD, folder]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    on = machine()
    found = list(figures())
    show(found, on, FILE)
    save(found, on, FILE)
    return int(any(figure.met is False for figure in found))


if __name__ == "__main__":
    sys.exit(main())
