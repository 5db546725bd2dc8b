"""Measures the services on this machine, shows a table, keeps the samples in .cache/bench-runtime.json.

`python -P -m benchmarks.runtime [NAME ...] [--rounds N] [--seconds S]` in the environment of `./inv test`, or
`./inv bench --only runtime`. Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.runtime import conditions, resting, tv
from benchmarks.runtime.tv import Pace
from ops import machine
from ops.errors import OpsError
from ops.paths import CACHE

FILE = CACHE / "bench-runtime.json"
Measure = Callable[[Pace, Callable[[str], None]], Iterator[Figure]]
MEASURES: Mapping[str, Measure] = {
    "tv": tv.beside,
    "unchanged": conditions.unchanged,
    "pages": resting.pages,
    "memory": resting.memory,
}


def main() -> int:
    given = _arguments()
    try:
        machine.require({"wrk": "wrk"}, why="the benchmark", say=say, error=OpsError)
    except OpsError as error:
        say(str(error))
        return 1
    pace = Pace(given.rounds, given.seconds)
    on, began, found = figures.machine(), time.monotonic(), list[Figure]()
    for name in given.names or MEASURES:
        say(f"{name}: {(MEASURES[name].__doc__ or '').splitlines()[0]}")
        found += MEASURES[name](pace, say)
    found.append(_sync())
    figures.show(found, on, FILE)
    figures.save(found, on, FILE)
    say(f"{time.monotonic() - began:.0f} s")
    return 1 if any(figure.met is False for figure in found) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.runtime", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], help="only these measurements")
    parser.add_argument("--rounds", type=int, default=5, help="each figure is the median of so many")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load for each sample")
    return parser.parse_args()


def _sync() -> Figure:
    """What a commit cannot be faster than, on the disk that was used, as it is at the end of the run."""
    times = []
    with tv.scratch() as folder, (folder / "synced").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return figures.median("one sync of this disk", times, "ms")


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
