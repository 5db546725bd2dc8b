"""tv-outbox: one thread for each sink, and one that looks for what is new in the store.

A process of its own, so that what is delivered takes nothing from the alerts that come in: they share the store only.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

from sqlalchemy import Connection

from runtime import clock
from runtime.outbox import feeds, status
from runtime.outbox.delivery import Deliverer
from runtime.outbox.file_sink import JournalWorker
from runtime.outbox.jsonl import JsonlWorker
from runtime.outbox.lookout import Lookout
from runtime.outbox.perf_sink import PerfSink
from runtime.outbox.retention import Retention
from runtime.settings import WebhookSettings
from runtime.store import Store, StoreError, tables

FIRST_SECONDS = 5.0
RETRY_SECONDS = 1.0

log = logging.getLogger("runtime.outbox")


class Outbox:
    """Opens the store of tv-webhook and delivers from it. Raises StoreError when that cannot be opened."""

    def __init__(self, settings: WebhookSettings) -> None:
        self._store = Store(settings.database, tables.SCHEMA)
        self._lookout = Lookout(self._store)
        self._stopping = threading.Event()
        self.sinks = list(sinks(self._store, settings))
        self._workers = [*self.sinks, *retention(self._store, settings)]
        for worker in self._workers:
            worker.pressed = self._lookout.pressed
        self._watcher = threading.Thread(target=self._watch, name="lookout", daemon=True)

    @property
    def alive(self) -> bool:
        """False when only a restart helps: a thread has ended, or the store's file is another one."""
        threads = [self._watcher.is_alive(), *(worker.alive for worker in self._workers)]
        return all(threads) and self._store.alive

    def start(self) -> None:
        """Returns once each sink has tried, or after a while: whoever asks then is told what fails."""
        for worker in self._workers:
            worker.start()
        self._watcher.start()
        limit = clock.steady() + FIRST_SECONDS
        for sink in self.sinks:
            sink.tried.wait(max(0.0, limit - clock.steady()))

    def stop(self) -> None:
        """What is not delivered waits in the store for the next start."""
        self._stopping.set()
        for worker in reversed(self._workers):
            worker.stop()
        self._watcher.join(1.0)
        self._store.close()

    def standing(self) -> str:
        """For a person: what is delivered here, and what fails."""
        return "; ".join(f"{sink.name}: {_word(sink)}" for sink in self.sinks)

    def _watch(self) -> None:
        while not self._stopping.wait(self._lookout.every):
            try:
                news = self._lookout.look()
            except StoreError:
                self._stopping.wait(RETRY_SECONDS)  # the sinks say so themselves
                continue
            if news:
                for sink in self.sinks:
                    sink.wake()
        self._lookout.close()


def sinks(store: Store, settings: WebhookSettings) -> Iterator[Deliverer]:
    """Everything that alerts are delivered to once they are committed."""
    yield JournalWorker(store, tables.outbox, feeds.journal(settings.timezone), settings.journal)
    if settings.jsonl is not None:
        yield JsonlWorker(store, tables.outbox, feeds.jsonl(), settings.jsonl, settings.rotation)
    yield PerfSink(store, settings.perf_url)


def retention(store: Store, settings: WebhookSettings) -> Iterator[Deliverer]:
    """What reduces old alerts, where that is wanted."""

    def known(connection: Connection) -> list[str]:
        return status.known(connection, settings)

    if settings.retention_days:
        yield Retention(store, known, settings.retention_days)


def _word(sink: Deliverer) -> str:
    if sink.standby:
        return "another process delivers"
    return f"delayed: {sink.error}" if sink.error else "well"
