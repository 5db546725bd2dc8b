"""The service: its store, its bot, its watchdog, and a stop that takes no time."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine, Mapping
from functools import partial

from runtime import systemd
from runtime.store import Store, StoreError, tables
from runtime.telegram import progress
from runtime.telegram.answers import Answers
from runtime.telegram.commands import Commander
from runtime.telegram.courier import Courier, insist
from runtime.telegram.feed import Feed
from runtime.telegram.line import Line
from runtime.telegram.listener import Listener
from runtime.telegram.news import Teller
from runtime.telegram.services import Services
from runtime.telegram.settings import TelegramSettings
from runtime.telegram.words import Words

STOP_SECONDS = 1.0
REOPEN_SECONDS = 2.0

log = logging.getLogger("runtime.telegram")


class App:
    """Runs until SIGTERM or SIGINT."""

    def __init__(self, settings: TelegramSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._notifier = systemd.Notifier(environ)
        self._every = systemd.watchdog_seconds(environ)
        self._stop = asyncio.Event()
        self._status: dict[str, str] = {}

    async def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        store = await self._opened()
        if store is None:
            return
        try:
            await self._serve(store)
        finally:
            self._notifier.tell("STOPPING=1")
            log.info("stopping")
            store.close()

    async def _opened(self) -> Store | None:
        """The store, however long it takes to come up; None when told to stop first."""
        told = ""
        while not self._stop.is_set():
            try:
                return await asyncio.to_thread(Store, self._settings.database, tables.SCHEMA)
            except StoreError as error:
                if str(error) != told:
                    log.error("waiting for the store: %s", error)
                told = str(error)
                self._notifier.tell(f"STATUS=waiting for the store: {error}", "EXTEND_TIMEOUT_USEC=30000000")
            await self._pause(REOPEN_SECONDS)
        return None

    async def _serve(self, store: Store) -> None:
        if not self._settings.enabled:
            await insist(store, progress.forget)
            self._ready("off: TELEGRAM_ENABLED is false")
            await self._watched(store, [])
            return
        line = Line(self._settings)
        services = Services(
            self._settings.webhook_url, self._settings.perf_url, self._settings.monitor_url, self._settings.ops_key
        )
        words, zone = Words(self._settings.language), self._settings.timezone
        feed = Feed(Teller(words, zone), self._settings.events)
        courier = Courier(store, line, feed, self._settings, partial(self._say, "delivery"))
        commander = Commander(services, store, words, Answers(words, zone))
        allowed = self._settings.allowed
        say, leads = partial(self._say, "commands"), lambda: courier.leads
        listener = Listener(line, commander, allowed, words, say, leads)
        await courier.begin()
        self._ready("reaching Telegram")
        try:
            await self._watched(store, [courier.run(), *([listener.run()] if allowed else [])])
        finally:
            await self._hang_up(line, listener, services)

    async def _watched(self, store: Store, work: list[Coroutine[None, None, None]]) -> None:
        """All at once, until told to stop; the first that fails ends the service, and systemd starts it again."""
        tasks = [asyncio.create_task(one) for one in [*work, self._sign(store)]]
        stop = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
        for task in [*tasks, stop]:
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in done - {stop}:
            task.result()

    async def _hang_up(self, line: Line, listener: Listener, services: Services) -> None:
        await listener.goodbye()
        await services.close()
        await line.close()

    async def _sign(self, store: Store) -> None:
        """From the event loop on purpose: a loop that hangs sends no sign, nor does one whose store cannot write."""
        while True:
            if store.alive and self._every:
                self._notifier.tell("WATCHDOG=1")
            await asyncio.sleep(self._every or 3600.0)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _ready(self, status: str) -> None:
        self._notifier.tell("READY=1", f"STATUS={status}")
        log.info("ready: %s", status)

    def _say(self, part: str, text: str) -> None:
        if self._status.get(part) != text:
            self._status[part] = text
            self._notifier.tell("STATUS=" + "; ".join(f"{name}: {said}" for name, said in self._status.items()))
