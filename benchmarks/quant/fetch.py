"""How much of the rate that exchanges allow `quant.fetch` uses: `python -m benchmarks.quant.fetch [EXCHANGE ...]`.

Real ccxt against the tests' fake exchange in a process of its own, 100 ms away, which counts as the exchange does and
answers 429 to what is too much. Its limits are the real ones, scaled in time: the same rate in a window that is
shorter (Binance's minute lasts 6 s, with a tenth of the weight), so that a run of some seconds goes through several.
The rate is that between the first and the last request for bars, as the fake saw them arrive.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from quant.cli import main as command
from quant.fetch.command import parser, run
from runtime import clock
from tests.fakes.exchange import REAL, Allowance, Exchange

TARGET = 0.95
SECONDS = 8.0
WINDOW = 6.0
LATENCY = 0.1
WEIGHTS = {"binance": 2, "binanceusdm": 2, "bybit": 1, "bitget": 1, "okx": 2}
"""Of one request for bars."""
BARS = {"binance": 999, "binanceusdm": 498, "bybit": 999, "bitget": 199, "okx": 299}
"""One request brings; Bitget's 1,000 are for the last 30 days only, which are few bars of 15 minutes."""
TIMEFRAMES = {"bitget": "15m"}


def main(names: list[str]) -> int:
    """Print a table; 1 when one is under the target or was told off."""
    print(f"load {os.getloadavg()[0]:.2f}, answers take {LATENCY * 1000:.0f} ms")
    print(f"  {'':<12} {'allowed/s':>9} {'used/s':>8} {'share':>7} {'429':>4} {'bars/s':>8}")
    failed = False
    for name in names or list(REAL):
        failed |= not row(name)
    return int(failed)


def row(name: str) -> bool:
    allowed = REAL[name].weight / REAL[name].seconds / WEIGHTS[name]
    bars = int(allowed * SECONDS) * BARS[name]
    seen, seconds = measured(name, bars)
    used = (len(seen["at"]) - 1) / (seen["at"][-1] - seen["at"][0])
    print(f"  {name:<12} {allowed:9.1f} {used:8.1f} {used / allowed:7.1%} {seen['refused']:4} {bars / seconds:8,.0f}")
    return used / allowed >= TARGET and not seen["refused"]


def measured(name: str, bars: int) -> tuple[dict[str, list[float]], float]:
    """What the exchange saw, and how long the command took."""
    words = [sys.executable, "-m", "benchmarks.quant.fetch", "serve", name]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as fake,
    ):
        assert fake.stdin and fake.stdout
        url = fake.stdout.readline().strip()
        config = Path(folder) / "config.yaml"
        timeframe = TIMEFRAMES.get(name, "1m")
        data = f"{{symbol: BTC/USDT, timeframe: {timeframe}, url: {folder}/data}}"
        config.write_text(f"data: {data}\nexchange: {{id: {name}}}\n")
        began = clock.steady()
        command(parser(), _silent, ["--config", str(config), "--bars", str(bars), "--api-url", url])
        seconds = clock.steady() - began
        fake.stdin.close()
        return json.loads(fake.stdout.read()), seconds


def _silent(arguments: object) -> int:
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115
    try:
        return run(arguments)  # type: ignore[arg-type]
    finally:
        sys.stdout = out


def serve(name: str) -> None:
    """Until stdin ends; then tell when requests for bars came."""
    real = REAL[name]
    scale = min(1.0, WINDOW / real.seconds)
    with Exchange(name, allowance=Allowance(real.weight * scale, real.seconds * scale), latency=LATENCY) as fake:
        print(fake.url, flush=True)
        sys.stdin.read()
        at = [one.at for one in fake.of("bars")[1:]]  # the first one asks what the newest bar is
        print(json.dumps({"at": at, "refused": sum(one.status == 429 for one in fake.asked)}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:]))
