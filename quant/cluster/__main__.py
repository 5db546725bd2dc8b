"""`python -m quant.cluster`: which workers a scheduler has, and whether they run this program's code."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from quant import cli
from quant.cluster.client import connected
from quant.cluster.look import Cluster, Worker, look
from runtime import clock

EVERY = 0.5


def parser() -> cli.Parser:
    made = cli.Parser("python -m quant.cluster", description="Show a cluster; exits 1 unless it can take a sweep.")
    made.add_argument("--scheduler", required=True, help="tcp://ADDRESS:PORT")
    made.add_argument("--hosts", type=int, default=1, help="wait for workers of so many hosts")
    made.add_argument("--wait", type=float, default=0, help="so many seconds")
    made.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return made


def run(given: argparse.Namespace) -> int:
    with connected(given.scheduler) as client:
        found = _awaited(client, given)
    sys.stdout.write(json.dumps(found.json()) + "\n" if given.json else shown(found))
    return 0 if found.is_well and len(found.hosts) >= given.hosts else 1


def _awaited(client: Any, given: argparse.Namespace) -> Cluster:
    limit = clock.steady() + given.wait
    while True:
        found = look(client, given.scheduler)
        if (len(found.hosts) >= given.hosts and found.is_well) or clock.steady() >= limit:
            return found
        time.sleep(EVERY)


def shown(found: Cluster) -> str:
    """As a person reads it."""
    lines = [f"{found.scheduler}: {len(found.workers)} workers on {len(found.hosts)} hosts, {found.waiting} trips wait"]
    lines += [_line(one) for one in found.workers]
    if not found.workers:
        lines.append("  -> none has registered: ./inv logs --host HOST --unit compute-worker.service")
    elif not found.is_well:
        lines.append(f"  -> this program is {found.code}: deploy it with ./inv quant.cluster --group GROUP")
    else:
        lines.append(f"  -> ./inv quant.sweep --config FILE --scheduler {found.scheduler}")
    return "\n".join(lines) + "\n"


def _line(one: Worker) -> str:
    doing = f"{one.running} running" if one.running else "idle"
    code = "our code" if one.same else f"OTHER CODE: {one.code}"
    return f"  {one.address:<28} {doing:<10} {one.memory / 1e6:,.0f} of {one.memory_limit / 1e6:,.0f} MB  {code}"


def main(arguments: Sequence[str] | None = None) -> int:
    return cli.main(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
