"""The kernel's clock: whether somebody keeps it right, and how far off it is thought to be.

The kernel itself knows, whichever program sets the clock (adjtimex(2) with no mode set reads and changes nothing): no
program is started, and none of timesyncd, chrony and ntpd has to be asked in its own way.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import ClassVar

from miner.monitor.schedule import Collector
from miner.readings import Reading

TIME_ERROR = 5
STA_UNSYNC, STA_NANO = 0x40, 0x2000


class _Timex(ctypes.Structure):
    """struct timex of linux/timex.h, up to what is read here; the rest is room."""

    _fields_: ClassVar = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 256),
    ]


@dataclass(frozen=True, slots=True)
class Clock:
    """`offset` in seconds, by which the kernel is still slewing the clock."""

    synchronised: bool
    offset: float


def read() -> Clock:
    """Raises OSError, where a sandbox forbids even to look."""
    timex = _Timex(modes=0)
    libc = ctypes.CDLL(None, use_errno=True)
    state = libc.adjtimex(ctypes.byref(timex))
    if state < 0:
        number = ctypes.get_errno()
        raise OSError(number, "adjtimex is not allowed here")
    unit = 1e9 if timex.status & STA_NANO else 1e6
    return Clock(state != TIME_ERROR and not timex.status & STA_UNSYNC, timex.offset / unit)


class Clocks(Collector):
    name, every, timeout = "clock", 30.0, 2.0

    async def collect(self) -> list[Reading]:
        try:
            found = read()
        except OSError as error:  # a container may not even look
            return [
                Reading(name, "", None, error.strerror or str(error))
                for name in ("clock.synchronised", "clock.offset_s")
            ]
        offset = found.offset if found.synchronised else None
        return [
            Reading("clock.synchronised", "", float(found.synchronised)),
            Reading("clock.offset_s", "", offset),
        ]
