"""The sticks on the bus, and those that should be on it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from miner.monitor.schedule import Collector
from miner.readings import Reading
from miner.usb import access, bus, known, libusb
from miner.usb.access import Account
from miner.usb.bus import Device
from miner.usb.known import Known
from runtime import clock

SCAN_SECONDS = 30.0
FAREWELL_SECONDS = 15.0
"""So long a forgotten stick is said to be there: what fires for it ends, and people hear that."""
FILE = "sticks.json"

log = logging.getLogger("miner.monitor")


class Sticks(Collector):
    """Reads the bus when it was told of a change, and now and then; says what it knows at each look.

    Everyone it has ever seen is missed until `forget`. `who` finds the account that must be able to open them; it is
    asked each time, for the miner may be installed after the monitor.
    """

    name, every, timeout = "sticks", 5.0, 10.0

    def __init__(self, state: Path, sysfs: Path, dev: Path, who: Callable[[], Account | None]) -> None:
        self._file, self._sysfs, self._dev, self._who = state / FILE, sysfs, dev, who
        self._due = -SCAN_SECONDS
        self._seen: frozenset[tuple[str, int]] = frozenset()
        self._hubs: dict[str, bool] = {}
        self._usable: dict[str, tuple[bool | None, str]] = {}
        self._leaving: dict[tuple[str, str], float] = {}
        self.known: dict[str, Known] = _remembered(self._file)
        self.present: dict[str, Device] = {}

    async def collect(self) -> list[Reading]:
        if not self.known and not self._leaving and not self._has_usb:
            return []
        seen = bus.plugged(self._sysfs)
        if seen != self._seen or clock.steady() >= self._due:
            await self.look()
            self._seen, self._due = seen, clock.steady() + SCAN_SECONDS
        return self.readings()

    def soon(self) -> None:
        """The next look reads the bus anew, whatever stands there."""
        self._due = -SCAN_SECONDS

    async def look(self) -> None:
        """Read the bus anew; in a thread, for each device is a handful of files."""
        before = dict(self.known)
        devices = await asyncio.to_thread(self._scan)
        self.present = known.settle(self.known, devices)
        who = self._who()
        self._usable = {key: _access(one, who) for key, one in self.present.items()}
        hubs = {one.hub for one in self.known.values() if one.hub}
        self._hubs = {hub: (self._sysfs / "bus/usb/devices" / hub).exists() for hub in hubs}
        if self.known != before:
            self._remember()

    def readings(self) -> list[Reading]:
        self._leaving = {thing: until for thing, until in self._leaving.items() if until > clock.steady()}
        gone = [thing for thing in self._leaving if thing[1] not in self.known and thing[1] not in self._hubs]
        found = [Reading(metric, target, 1.0, "forgotten") for metric, target in gone]
        found += [self._present(key) for key in self.known]
        usable = ((key, *said) for key, said in self._usable.items())
        found += [Reading("stick.usable", key, _number(may), why) for key, may, why in usable]
        return found + [Reading("hub.present", hub, float(there)) for hub, there in self._hubs.items()]

    def usable(self, key: str) -> bool | None:
        return self._usable.get(key, (None, ""))[0]

    def within(self) -> dict[str, str]:
        """Each stick with the hub it hangs on, each hub with the one above it."""
        found = {key: one.hub for key, one in self.known.items() if one.hub}
        return found | {hub: above for hub in self._hubs if (above := bus.hub_of(hub))}

    def forget(self, key: str) -> bool:
        """A stick that was given away is not missed any more, nor its hub, if no other is known to hang on that.
        False: none has that name, or it is plugged in."""
        if key not in self.known or key in self.present:
            return False
        hub = self.known.pop(key).hub
        self._leave("stick.present", key)
        if hub in self._hubs and not any(one.hub == hub for one in self.known.values()):
            del self._hubs[hub]
            self._leave("hub.present", hub)
        self._remember()
        self.soon()
        return True

    @property
    def leaving(self) -> tuple[tuple[str, str], ...]:
        """(metric, target) of what is forgotten, as long as it is said to be there."""
        return tuple(self._leaving)

    def _leave(self, metric: str, target: str) -> None:
        self._leaving[metric, target] = clock.steady() + FAREWELL_SECONDS

    @property
    def _has_usb(self) -> bool:
        return bus.has_usb(self._sysfs) or (self._dev / "bus/usb").is_dir()

    def _scan(self) -> tuple[Device, ...]:
        """By sysfs; by libusb where that is not mounted and there are devices all the same. Raises Unusable."""
        if bus.has_usb(self._sysfs) or not self._has_usb:
            return bus.scan(self._sysfs, self._dev)
        return libusb.scan(self._dev)

    def _present(self, key: str) -> Reading:
        one = self.known[key]
        return Reading("stick.present", key, float(key in self.present), f"{one.label}, port {one.port}")

    def _remember(self) -> None:
        try:
            known.save(self._file, self.known)
        except OSError as error:
            log.warning("sticks cannot be remembered: %s: %s", self._file, error.strerror)


def _access(device: Device, who: Account | None) -> tuple[bool | None, str]:
    if who is None:
        return None, "the miner's user does not exist"
    try:
        why = access.problem(device.node, who)
    except OSError as error:
        return None, f"{device.node}: {error.strerror}"
    return why is None, why or ""


def _remembered(file: Path) -> dict[str, Known]:
    """A damaged file costs what it held, and is put aside: the sticks that are there are known again at once."""
    try:
        return known.load(file)
    except known.Unreadable as error:
        log.warning("%s; it is put aside as %s.damaged", error, file.name)
        file.replace(file.with_name(f"{file.name}.damaged"))
        return {}


def _number(value: bool | None) -> float | None:
    return None if value is None else float(value)
