"""A program for a test: adds bars, and is killed with SIGKILL at every step of its writing in turn.

Prints a JSON list: for each step how many bars were there afterwards. The step is a call that changes the disk.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from quant.dataset import Dataset
from tests.quant.dataset.series import bars

STEPS = ("fsync", "replace", "unlink", "write", "fchmod")


def deadly(step: int) -> None:
    left = iter(range(step))

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*words: Any, **options: Any) -> Any:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*words, **options)

        return run

    for name in STEPS:
        setattr(os, name, watched(getattr(os, name)))


def main(url: str, before: int, after: int) -> None:
    found, killed, step = [], True, 0
    while killed:
        child = os.fork()
        if not child:
            deadly(step)
            Dataset(url).add(bars(after))
            os._exit(0)
        killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        series = Dataset(url).series()
        loaded = Dataset(url).load("BTC/USDT", "1h") if series else bars(0)
        assert loaded.sha256 == bars(len(loaded)).sha256
        found.append(len(loaded))
        step += 1
    sys.stdout.write(json.dumps(found))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
