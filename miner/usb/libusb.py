"""The second source: what libusb enumerates. It answers where sysfs is not mounted, and sees what cgminer sees."""

from __future__ import annotations

from dataclasses import dataclass

from miner.sticks import MODELS

_IDS = frozenset((model.vid, model.pid) for model in MODELS)


@dataclass(frozen=True, slots=True)
class Seen:
    """A device with a stick's numbers, which is not yet a stick; strings are None without the right to ask for them."""

    vid: int
    pid: int
    port: str
    manufacturer: str | None
    product: str | None
    serial: str | None


class Unusable(Exception):
    """There is no libusb on this machine, or it cannot be used."""


def enumerate_devices() -> tuple[Seen, ...]:
    """By port. Raises Unusable. Asks each device for its strings: some 14 ms, so not for every cycle."""
    import usb.core  # with ctypes it takes a megabyte, which a monitor with sysfs never needs

    try:
        found = [one for one in usb.core.find(find_all=True) if (one.idVendor, one.idProduct) in _IDS]
    except (usb.core.NoBackendError, usb.core.USBError) as error:
        raise Unusable(str(error) or type(error).__name__) from error
    return tuple(sorted(map(_seen, found), key=lambda one: one.port))


def _seen(device: object) -> Seen:
    numbers = getattr(device, "port_numbers", None) or ()
    port = f"{getattr(device, 'bus', 0)}-{'.'.join(map(str, numbers))}"
    texts = [_asked(device, name) for name in ("manufacturer", "product", "serial_number")]
    return Seen(getattr(device, "idVendor", 0), getattr(device, "idProduct", 0), port, texts[0], texts[1], texts[2])


def _asked(device: object, name: str) -> str | None:
    """Without permission pyusb raises ValueError ("no langid"), for a device that left its USBError, an OSError."""
    try:
        value = getattr(device, name)
    except (ValueError, OSError, NotImplementedError):
        return None
    return str(value) if value is not None else None
