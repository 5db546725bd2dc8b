"""`python -m quant.cluster.worker`: one process for each core, each with a keeper that replaces it when it dies."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from quant import cli
from quant.cluster import service

EVERY = 1.0
"""Seconds between two looks for the scheduler."""
GOODBYE = 5.0
"""Seconds that a worker has to stop."""


def parser() -> cli.Parser:
    made = cli.Parser("python -m quant.cluster.worker", description="Work for a cluster's scheduler.")
    made.add_argument("--scheduler", required=True, help="tcp://ADDRESS:PORT")
    made.add_argument("--address", required=True, help="of this host: where workers listen, and nowhere else")
    made.add_argument("--port", type=int, default=0, help="the first; each worker takes two (default: any)")
    made.add_argument("--workers", type=int, help="processes (default: one a core)")
    made.add_argument("--memory-percent", type=float, default=80, help="of this machine's, for all of them")
    return made


def keepers(given: argparse.Namespace) -> list[Any]:
    """Not started yet. Must be called where the event loop runs."""
    import psutil
    from distributed import Nanny

    count = given.workers or psutil.cpu_count() or 1
    memory = int(psutil.virtual_memory().total * given.memory_percent / 100 / count)
    shared = {"nthreads": 1, "memory_limit": memory, "host": given.address, "dashboard": False}
    ports = ((given.port + 2 * i, given.port + 2 * i + 1) if given.port else (0, 0) for i in range(count))
    return [
        Nanny(given.scheduler, worker_port=own, port=kept, dashboard_address=service.LOOPBACK, **shared)
        for own, kept in ports
    ]


async def reached(scheduler: str) -> None:
    """Waits until something listens there: a host may be deployed before the one that schedules."""
    place = urlsplit(scheduler)
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.close()
            return
        await asyncio.sleep(EVERY)


async def serve(given: argparse.Namespace) -> None:
    """Until it is cancelled, or the scheduler is gone: then systemd starts it anew, and it waits for the next one."""
    told = service.Systemd()
    told.ready(f"waits for the scheduler at {given.scheduler}")
    signing = asyncio.ensure_future(told.sign())
    started: list[Any] = []
    try:
        await reached(given.scheduler)
        started = keepers(given)
        await asyncio.gather(*started)
        told.ready(f"{len(started)} workers for {given.scheduler}")
        ends = [asyncio.ensure_future(keeper.finished()) for keeper in started]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        signing.cancel()
        await asyncio.gather(*(keeper.close(timeout=GOODBYE) for keeper in started), return_exceptions=True)


def main(arguments: Sequence[str] | None = None) -> int:
    return cli.main(parser(), lambda given: service.run(serve(given)), arguments)


if __name__ == "__main__":
    sys.exit(main())
