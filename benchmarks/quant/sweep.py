"""350,000 bars x 500 pairs of moving averages, long and short with costs: ours beside vectorbt and backtesting.py."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure, fastest, median
from ops.paths import ROOT
from quant.candles import Candles
from quant.config import Config, parse
from quant.dataset import Dataset
from quant.sweep import where
from quant.sweep.combinations import Space, grid
from quant.sweep.processes import several
from quant.sweep.trying import per_job
from quant.sweep.where import Job, Where
from quant.sweep.work import Study
from quant.timeframe import Timeframe

BARS, ROUNDS = 350_000, 5
FEE = 0.0005
SPACE = {"fast": {"from": 5, "to": 100, "step": 5}, "slow": {"from": 120, "to": 600, "step": 20}}
STOPS = {"exits": {"stop_atr": 3.0}}
FEWER = 16
"""Pairs for vectorbt, which keeps 80 MB for each."""
PEERS = ROOT / ".venv-peers/bin/python"
LIMIT_MB = 400.0
PLAIN = """
import time
began, n = time.perf_counter(), 0
for i in range(5_000_000):
    n += i & 3
print(time.perf_counter() - began)
"""
"""Arithmetic that needs no memory and shares nothing."""


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def figures() -> Iterator[Figure]:
    """The crosses, the peers beside them, the engine with a stop, and the whole command."""
    candles, asked = walk(BARS), config(SPACE)
    overrides = grid(asked, Space.of(asked)).overrides
    say(f"{BARS:,} bars x {len(overrides)} pairs, {ROUNDS} rounds")
    study = Study(asked, candles)
    one, two = _rounds(study, overrides)
    each = 1e9 / BARS / len(overrides)
    yield fastest("crosses, one core", [s * each for s in one], "ns", target=2.5, note="a bar a combination")
    yield median("crosses, two cores", [s * each for s in two], "ns")
    gain = [a / b for a, b in zip(one, two, strict=True)]
    yield median("this machine, two processes of plain arithmetic / one", _ceiling(), "x", note="what it can give")
    yield median("crosses, two cores / one", gain, "x", target=1.8, at_least=True)
    yield from _beside(candles, overrides, min(one) * each)
    yield from _stopped(candles)
    yield from _command(candles)


def _rounds(study: Study, overrides: Sequence[Any]) -> tuple[list[float], list[float]]:
    """Seconds on one core and on two, by turns; the same bits, or the benchmark ends here."""
    one, two = list[float](), list[float]()
    with where.here(study) as single, where.threads(study, 2) as double:
        _timed(single, overrides[:1])
        for _ in range(ROUNDS):
            expected, seconds = _timed(single, overrides)
            one.append(seconds)
            found, seconds = _timed(double, overrides)
            two.append(seconds)
            assert repr(found) == repr(expected), "two cores give other results than one"
    return one, two


def _ceiling() -> list[float]:
    """What two processes get done in the time of one, where nothing but the machine stands between them."""
    return [2 * _plain(1) / _plain(2) for _ in range(ROUNDS)]


def _plain(count: int) -> float:
    command = [sys.executable, "-c", PLAIN]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return max(float(one.communicate()[0]) for one in running)


def _timed(place: Where, overrides: Sequence[Any], size: int = per_job(BARS)) -> tuple[list[Any], float]:
    jobs = [Job(number, tuple(overrides[at : at + size])) for number, at in enumerate(range(0, len(overrides), size))]
    began = time.perf_counter()
    found = dict(place.map(jobs))
    return [found[job.number] for job in jobs], time.perf_counter() - began


def _beside(candles: Candles, overrides: Sequence[Any], ours: float) -> Iterator[Figure]:
    """The fastest of each side: what else runs on the machine slows both, and not at the same moment."""
    say(f"vectorbt, {FEWER} of the pairs, and backtesting.py, one")
    given = {"pairs": [list(one.values()) for one in overrides[:: len(overrides) // FEWER][:FEWER]]}
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file.name, np.array([candles.time, candles.open, candles.high, candles.low, candles.close], float))
        said = json.dumps({**given, "candles": file.name, "fee": FEE, "rounds": ROUNDS})
        command = [str(PEERS), "-P", str(Path(__file__).parent / "peers/sweep.py")]
        done = subprocess.run(command, input=said, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    simulation, other = min(found["simulation"]), found["backtesting"]
    yield median("vectorbt, simulation alone", found["simulation"], "ns")
    yield Figure("backtesting.py", other, "ns")
    yield Figure("crosses / vectorbt's simulation", simulation / ours, "x", 30.0, at_least=True)
    yield Figure("crosses / backtesting.py", other / ours, "x", 2000.0, at_least=True)


def _stopped(candles: Candles) -> Iterator[Figure]:
    """The engine's own sweep, with an ATR stop, in processes."""
    asked = config({"fast": [10, 20, 30, 40], "slow": {"from": 100, "to": 475, "step": 25}}, **STOPS)
    overrides = grid(asked, Space.of(asked)).overrides
    say(f"the engine with an ATR stop, {len(overrides)} pairs")
    study, each = Study(asked, candles), 1e9 / BARS / len(overrides)
    places: tuple[AbstractContextManager[Where], ...] = (where.here(study), several(study, 2))
    with places[0] as single, places[1] as double:
        _timed(single, overrides[:1], 1)
        _timed(double, overrides[:8], 1)
        pairs = [(_timed(single, overrides), _timed(double, overrides)) for _ in range(ROUNDS)]
    assert all(repr(one[0]) == repr(two[0]) for one, two in pairs), "two processes give other results than one"
    yield fastest("ATR stop, one core", [one[1] * each for one, _ in pairs], "ns", target=11.0)
    gain = [one[1] / two[1] for one, two in pairs]
    yield median("ATR stop, two processes / one", gain, "x", target=1.7, at_least=True)


def _command(candles: Candles) -> Iterator[Figure]:
    """`python -m quant.sweep` from start to finish, in a process of its own: Parquet in, report out."""
    say("the whole command")
    with tempfile.TemporaryDirectory() as folder:
        Dataset(folder).add(candles)
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps(_sections(SPACE) | {"data": _data(folder)}))
        began = time.perf_counter()
        program = (
            "import pathlib, sys; from quant import cli, places; places.home = lambda: pathlib.Path(sys.argv[1]); "
            "from quant.sweep import __main__ as m; sys.exit(cli.main(m.parser(), m.run, sys.argv[2:]))"
        )
        words = [sys.executable, "-P", "-c", program, folder, "--config", str(path), "--no-journal"]
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as one:
            _, status, used = os.wait4(one.pid, 0)
            one.returncode = os.waitstatus_to_exitcode(status)
        assert one.returncode == 0
        yield Figure("sweep, the whole command", time.perf_counter() - began, "s")
        yield Figure("sweep, peak memory", _megabytes(used), "MB", LIMIT_MB)


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024


def config(space: Any, **more: Any) -> Config:
    return parse(_sections(space) | more)


def _sections(space: Any) -> dict[str, Any]:
    return {"data": _data("data"), "costs": {"taker_fee": FEE}, "sweep": {"space": space}}


def _data(url: str) -> dict[str, str]:
    return {"symbol": "BTC/USDT", "timeframe": "15m", "url": url}


def walk(n: int) -> Candles:
    """Ten years of quarter hours in steps of 0.1, with no direction; the same each time."""
    random = np.random.default_rng(0)
    close = np.round(30_000 * np.exp(np.cumsum(random.normal(0, 0.002, n))), 1)
    opens = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opens, close) + 5.0, np.minimum(opens, close) - 5.0
    time_ = 1_420_070_400_000 + np.arange(n, dtype=np.int64) * 900_000
    return Candles(
        "bench", "BTC/USDT", Timeframe.of("15m"), time_, opens, high, np.maximum(low, 0.1), close, np.ones(n)
    )
