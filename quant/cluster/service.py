"""What scheduler and workers share: how they are told to stop, what systemd hears of them, and how Dask is set."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import dask

from runtime import logs, settings, systemd

LOOPBACK = "127.0.0.1:0"
"""Dask's own web server can be kept from showing anything, but not from listening."""
DASK: dict[str, Any] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
}
"""No pages; and nothing is spilled to disk: what we keep is candles and small rows."""

log = logging.getLogger("quant.cluster")


class Systemd:
    """What is told to systemd; nobody listens when a person started the program."""

    def __init__(self) -> None:
        environ = settings.environment()
        self._notifier, self._every = systemd.Notifier(environ), systemd.watchdog_seconds(environ)

    def ready(self, status: str) -> None:
        """Also to change the status later."""
        log.info(status)
        self._notifier.tell("READY=1", f"STATUS={status}")

    async def sign(self) -> None:
        """From the event loop on purpose: a loop that hangs sends no sign."""
        while self._every:
            self._notifier.tell("WATCHDOG=1")
            await asyncio.sleep(self._every)


def run(serving: Coroutine[Any, Any, None]) -> int:
    """Runs a service until it ends or is told to stop by SIGTERM or SIGINT; its `finally` is waited for."""
    logs.configure()
    dask.config.set(DASK)
    asyncio.run(_until_stopped(serving))
    return 0


async def _until_stopped(serving: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(serving)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
