"""`python -m quant.cluster.scheduler`: hands chunks of work to workers, as systemd starts it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from quant import cli
from quant.cluster import service
from quant.errors import ClusterFailed

PORT = 8786


def parser() -> cli.Parser:
    made = cli.Parser("python -m quant.cluster.scheduler", description="Hand work to the workers of a cluster.")
    made.add_argument("--address", required=True, help="of this host: where it listens, and nowhere else")
    made.add_argument("--port", type=int, default=PORT)
    return made


async def serve(address: str, port: int) -> None:
    """Until it is cancelled. Raises ClusterFailed when the address is not this machine's, or the port is in use."""
    from distributed import Scheduler

    told = service.Systemd()
    try:
        scheduler = await Scheduler(host=address, port=port, dashboard=False, dashboard_address=service.LOOPBACK)
    except OSError as error:
        raise ClusterFailed(
            f"cannot listen on {address}:{port}: {error}",
            hint="settings.compute.addresses tells where a host is reached if not at its own address",
        ) from error
    try:
        told.ready(f"hands out work at {scheduler.address}")
        await asyncio.gather(told.sign(), scheduler.finished())
    finally:
        await scheduler.close()


def main(arguments: Sequence[str] | None = None) -> int:
    return cli.main(parser(), lambda given: service.run(serve(given.address, given.port)), arguments)


if __name__ == "__main__":
    sys.exit(main())
