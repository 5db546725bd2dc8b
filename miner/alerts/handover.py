"""Hands notices over to the webhook's store, which tv-telegram delivers from. That store may be slow, down, or not yet
made: notices wait in the monitor's own, for as long as it takes, and nobody waits for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from typing import Any

from sqlalchemy import Connection

from miner.alerts import memory
from miner.alerts.notices import Notice
from runtime import clock
from runtime.store import Store, StoreError
from runtime.store.engine import Place
from runtime.store.tables import SCHEMA, health
from runtime.telegram import progress

BATCH = 100
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

log = logging.getLogger("miner.alerts")


class HandOver:
    """From `store` to the webhook's at `place` (None: nowhere). It is opened for each batch: notices are rare."""

    def __init__(self, store: Store, place: Place | None) -> None:
        self._store = store
        self._place = place
        self._wake = asyncio.Event()
        self.trouble = ""
        """Why the last attempt failed."""

    def hurry(self) -> None:
        """There is something new."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while self._place is not None:
            self._wake.clear()
            try:
                while await self._batch(self._place):
                    failures = 0
            except Exception as error:  # whatever it is, notices are not given up
                self._failed(error)
                wait = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                failures += 1
                await asyncio.sleep(wait)
                continue
            failures = 0
            self._recovered()
            await self._wake.wait()

    async def _batch(self, place: Place) -> bool:
        """False: nothing waits. Raises StoreError: safe to call again, a key is taken over once."""
        found = await asyncio.to_thread(self._waiting)
        if not found:
            return False
        await asyncio.to_thread(deliver, place, [notice for _, notice in found])
        ids = [number for number, _ in found]
        await self._store.write(lambda connection: memory.handed(connection, ids))
        return len(found) == BATCH

    def _waiting(self) -> list[tuple[int, Notice]]:
        with self._store.read() as connection:
            return memory.waiting(connection, BATCH)

    def _failed(self, error: Exception) -> None:
        reason = str(error)
        if reason != self.trouble:
            log.warning("notices wait: %s", reason, exc_info=not isinstance(error, StoreError))
        self.trouble = reason

    def _recovered(self) -> None:
        if self.trouble:
            log.info("notices are handed over again")
        self.trouble = ""


def deliver(place: Place, notices: Sequence[Notice]) -> None:
    """Put them into the webhook's store, each key once, and take out what is long told. Blocks. Raises StoreError."""
    store = Store(place, SCHEMA)
    try:
        store.submit(lambda connection: _insert(connection, notices)).result(timeout=5.0)
    except TimeoutError:
        raise StoreError("no commit within 5 s") from None
    finally:
        store.close()


def _insert(connection: Connection, notices: Sequence[Notice]) -> None:
    newest = clock.from_iso(max(notice.ts for notice in notices))
    progress.prune(connection, clock.iso(newest - memory.KEPT))
    made: Any = import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(health)
    connection.execute(made.on_conflict_do_nothing(index_elements=["key"]), [asdict(one) for one in notices])
