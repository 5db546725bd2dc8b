"""`./inv bench --only alerts`: a week of readings with 40 faults. Exits 1 when it is judged slowly, or wrongly."""

from __future__ import annotations

import os
import sys

from benchmarks.alerts.judge import mistakes, replay
from benchmarks.alerts.week import planted

TARGET = 10.0


def main() -> int:
    world = planted()
    told = replay(world)
    wrong = mistakes(world, told)
    print(f"{told.cycles:,} cycles, {told.readings:,} readings, {world.planted} faults, load {os.getloadavg()[0]:.2f}")
    print(f"  judged in {told.seconds:.2f} s (target: <= {TARGET:g} s), of which the processor {told.processor:.2f} s")
    print(f"  {len(told.changes)} changes told, {len(wrong)} of them wrong")
    for one in wrong:
        print(f"  {one}")
    return int(bool(wrong) or told.seconds > TARGET)


if __name__ == "__main__":
    sys.exit(main())
