"""A TCP proxy that makes a near host a far one: every byte arrives half a round trip later, none is slowed down."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future

CHUNK = 1 << 16


class DelayProxy:
    """Listens on 127.0.0.1:`port` and forwards to `address`:22 as if it were `rtt` seconds away and back.

    The kernel of this machine accepts a connection at once; over a real wire that takes a round trip. So what a client
    sends first leaves a round trip later, and the host hears of the connection one and a half after the client's SYN:
    what a client sees from its first byte on is as late as over the wire.
    """

    def __init__(self, address: str, rtt: float) -> None:
        self._address, self._rtt = address, rtt
        self.port = 0

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, limit=CHUNK)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = asyncio.get_running_loop().time()
        up = asyncio.Queue[tuple[float, bytes]]()
        reading = asyncio.create_task(self._read(reader, up, earliest=opened + 1.5 * self._rtt))
        await asyncio.sleep(1.5 * self._rtt)
        host_reader, host_writer = await asyncio.open_connection(self._address, 22, limit=CHUNK)
        down = asyncio.Queue[tuple[float, bytes]]()
        await asyncio.gather(
            reading,
            _write(up, host_writer),
            self._read(host_reader, down, earliest=0),
            _write(down, writer),
            return_exceptions=True,
        )

    async def _read(
        self, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]], earliest: float
    ) -> None:
        loop, data = asyncio.get_running_loop(), b"more"
        while data:
            try:
                data = await reader.read(CHUNK)
            except OSError:
                data = b""
            queue.put_nowait((max(earliest, loop.time() + self._rtt / 2), data))


async def _write(queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def far_away(address: str, rtt: float) -> Iterator[int]:
    """The local port behind which `address`:22 is `rtt` seconds away, served by a thread of its own."""
    port, done = Future[int](), Future[None]()

    async def serve() -> None:
        proxy = DelayProxy(address, rtt)
        async with await proxy.serve():
            port.set_result(proxy.port)
            await asyncio.wrap_future(done)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    try:
        yield port.result(timeout=5)
    finally:
        done.set_result(None)
        thread.join(timeout=5)
