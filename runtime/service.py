"""Runs one ASGI application as a systemd service: its sockets, readiness, watchdog, and a stop that loses nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from types import FrameType

import uvicorn

from runtime import clock, systemd
from runtime.direct import Protocol
from runtime.http import App, Edge
from runtime.settings import Listen

BACKLOG = 4096
DRAIN_SECONDS = 1.0
DATE_SECONDS = 1.0
_EACH_TICK = 0  # Uvicorn makes the date anew at every tenth of its ticks, which this is
STOP_SECONDS = 1  # after the drain; together they outlast a write's own time limit

log = logging.getLogger("runtime.service")


def run(
    app: App,
    listen: Listen,
    environ: Mapping[str, str],
    *,
    alive: Callable[[], bool] = lambda: True,
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve `app` until SIGTERM or SIGINT.

    `alive` is asked before each watchdog sign: once it is False, systemd kills and restarts the service. `stopping` is
    called first of all when it stops: answers without an end, such as streams, must end then.
    """
    edge = Edge(app)
    config = uvicorn.Config(
        edge,
        host=listen.host,
        port=listen.port,
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the peer's address decides about trust, so no header may change it
        lifespan="on",
        ws="none",
        http=Protocol,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    sockets = systemd.inherited_sockets(environ)
    _Server(config, edge, environ, alive, stopping).run(sockets=sockets or None)


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        edge: Edge,
        environ: Mapping[str, str],
        alive: Callable[[], bool],
        stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._edge = edge
        self._notifier = systemd.Notifier(environ)
        self._every = systemd.watchdog_seconds(environ)
        self._alive = alive
        self._stopping = stopping
        self._watchdog: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._wake: Callable[[], object] = lambda: None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._wake()

    async def main_loop(self) -> None:
        """The signal says when to end, and each second answers get a new date.

        Uvicorn's own loop looks ten times a second, which is a quarter of what a resting service uses.
        """
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, self._ending.set)
        while not await self.on_tick(_EACH_TICK):
            with suppress(TimeoutError):
                async with asyncio.timeout(DATE_SECONDS):
                    await self._ending.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        if self._every:
            self._watchdog = asyncio.create_task(self._sign(self._every))
        # What was imported lives as long as the process: to look through it again and again only costs pauses.
        gc.collect()
        gc.freeze()
        self._notifier.tell("READY=1", "STATUS=serving")
        log.info("ready on %s", ", ".join(str(sock.getsockname()) for sock in self._listening()))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._notifier.tell("STOPPING=1", "STATUS=draining")
        log.info("stopping")
        await self._drain()
        await super().shutdown(sockets)
        if self._watchdog:
            self._watchdog.cancel()

    async def _drain(self) -> None:
        """Answer those already accepted before leaving.

        New connections wait in the socket, which systemd keeps open for the next process. A connection accepted a
        moment ago may not have sent its request yet: closing it now would be a failed request.
        """
        self._edge.draining = True
        self._stopping()
        for server in self.servers:
            server.close()
        limit = clock.steady() + DRAIN_SECONDS
        while self.server_state.connections and clock.steady() < limit:
            await asyncio.sleep(0.02)

    async def _sign(self, every: float) -> None:
        """From the event loop on purpose: a loop that hangs sends no sign."""
        while True:
            if self._alive():
                self._notifier.tell("WATCHDOG=1")
            await asyncio.sleep(every)

    def _listening(self) -> list[socket.socket]:
        return [sock for server in self.servers for sock in server.sockets]
