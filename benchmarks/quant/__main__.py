"""Measures quant on this machine, shows one table, keeps the samples in .cache/bench-quant.json.

`python -P -m benchmarks.quant [sweep engine start fetch]` in the environment of `./inv test`, or
`./inv bench --only quant`. Exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.figures import Figure, machine, save, show
from benchmarks.quant.sweep import say
from ops.paths import CACHE, ROOT

FILE = CACHE / "bench-quant.json"
NAMES = ("sweep", "engine", "start", "fetch")
"""Modules beside this one. Their `figures()` are rows of the table; one without has a table and an exit status of its
own."""


def main() -> int:
    names = _arguments().names or [name for name in NAMES if importlib.util.find_spec(f"benchmarks.quant.{name}")]
    on, began, found, missed = machine(), time.monotonic(), list[Figure](), list[str]()
    for name in names:
        say(name)
        found += _measured(name, missed)
    show(found, on, FILE)
    save(found, on, FILE)
    say(f"{time.monotonic() - began:.0f} s" + (f"; a target is missed in {', '.join(missed)}" if missed else ""))
    return 1 if missed or any(figure.met is False for figure in found) else 0


def _measured(name: str, missed: list[str]) -> Iterator[Figure]:
    module = importlib.import_module(f"benchmarks.quant.{name}")
    if hasattr(module, "figures"):
        yield from module.figures()
    elif subprocess.run([sys.executable, "-P", "-m", module.__name__], cwd=ROOT, check=False).returncode:
        missed.append(name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.quant", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="only these measurements")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
