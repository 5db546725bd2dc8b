"""One exchange with the API: connect, send one request, read to the end."""

from __future__ import annotations

import asyncio

from miner.cgminer.errors import ApiDown, ApiSlow, ApiStrange

LIMIT = 16 << 20
"""Bytes of a reply. A thousand sticks fill half of it; more is no cgminer, or one that runs wild."""
_PART = 1 << 16


async def exchange(host: str, port: int, request: bytes, timeout: float, limit: int = LIMIT) -> bytes:
    """The reply without its NUL. `timeout`: seconds for all of it, so a peer that trickles cannot hold us.

    Raises ApiDown, ApiSlow, ApiStrange.
    """
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(timeout):
            return await _exchange(host, port, request, limit)
    except TimeoutError as error:
        raise ApiSlow(f"cgminer at {where} did not answer within {timeout:g} s") from error
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        raise ApiDown(f"no cgminer answers at {where}: {why}") from error


async def _exchange(host: str, port: int, request: bytes, limit: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        await writer.drain()
        return await _to_the_end(reader, limit)
    finally:
        writer.transport.abort()  # everything was read, or nothing more is wanted: there is nothing to wait for


async def _to_the_end(reader: asyncio.StreamReader, limit: int) -> bytes:
    """Up to the NUL, or to where the peer closes: some firmwares send no NUL, others keep the connection open."""
    parts: list[bytes] = []
    size = 0
    while part := await reader.read(_PART):
        text, nul, _ = part.partition(b"\0")
        parts.append(text)
        size += len(text)
        if size > limit:
            raise ApiStrange(f"the reply is longer than {limit >> 20} MB")
        if nul:
            break
    return b"".join(parts)
