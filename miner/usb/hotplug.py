"""Tells that something was plugged or unplugged: by udev's messages where udevd runs, else by looking each second.

A message only says when to look: what is there is read from sysfs, since the one that tells of a removal has no serial
number, and a burst of them is one change. Even with messages a look every ten seconds catches what none was sent for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from miner.usb import bus
from miner.waiting import woken

POLL_SECONDS = 1.0
CHECK_SECONDS = 10.0
SETTLE_SECONDS = 0.05
"""After a message: a hub that is unplugged sends one for each thing on it, interfaces too."""
UDEVD = Path("/run/udev/control")

Told = Callable[[], Awaitable[None]]
log = logging.getLogger("miner.usb")


def has_udevd() -> bool:
    return UDEVD.exists()


class Hotplug:
    """Calls `told` at each change, until cancelled. `netlink` None: only where udevd runs."""

    def __init__(self, told: Told, sysfs: Path = bus.SYSFS, *, netlink: bool | None = None) -> None:
        self._told = told
        self._sysfs = sysfs
        self._wanted = netlink
        self._woken = asyncio.Event()
        self._monitor: Any = None

    @property
    def source(self) -> str:
        return "udev" if self._monitor is not None else "polling"

    async def run(self) -> None:
        self._monitor = self._opened() if self._wanted or (self._wanted is None and has_udevd()) else None
        log.info("changes on the USB bus are noticed by %s", self.source)
        seen = bus.plugged(self._sysfs)
        try:
            while True:
                heard = await self._wait()
                before, seen = seen, bus.plugged(self._sysfs)
                if heard or seen != before:
                    await self._told()
        finally:
            self._close()

    async def _wait(self) -> bool:
        """True when a message came."""
        within = CHECK_SECONDS if self._monitor is not None else POLL_SECONDS
        return await woken(self._woken, within, SETTLE_SECONDS)

    def _opened(self) -> Any:
        """pyudev's monitor, or None: a kernel without netlink, or a unit that may not use it."""
        try:
            import pyudev  # with ctypes: only where it is used

            monitor = pyudev.Monitor.from_netlink(pyudev.Context())
            monitor.filter_by("usb", "usb_device")
            monitor.start()
            asyncio.get_running_loop().add_reader(monitor.fileno(), self._read)
        except (ImportError, OSError) as error:
            log.warning("no messages from udev (%s): the bus is looked at every %g s", error, POLL_SECONDS)
            return None
        return monitor

    def _read(self) -> None:
        try:
            while self._monitor.poll(timeout=0) is not None:
                self._woken.set()
        except OSError as error:  # ENOBUFS: more than the socket could hold; looking finds what was missed
            log.warning("udev's messages were lost: %s", error)
            self._woken.set()

    def _close(self) -> None:
        if self._monitor is not None:
            asyncio.get_running_loop().remove_reader(self._monitor.fileno())
            self._monitor = None
