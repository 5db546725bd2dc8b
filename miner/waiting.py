"""Waiting for something to happen, and for what comes with it."""

from __future__ import annotations

import asyncio
import contextlib


async def woken(event: asyncio.Event, within: float, settle: float) -> bool:
    """True when the event came within so many seconds, and what came with it has had `settle` more; it is cleared."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
        await asyncio.sleep(settle)
        event.clear()
        return True
    return False
