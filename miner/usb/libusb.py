"""The second source: what libusb enumerates. It answers where sysfs is not mounted, and sees what cgminer sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from miner.sticks import MODELS, identify
from miner.usb.bus import DEV, Device

_IDS = frozenset((model.vid, model.pid) for model in MODELS)


class Unusable(Exception):
    """There is no libusb on this machine, or it cannot be used."""


def scan(dev: Path = DEV, backend: Any = None) -> tuple[Device, ...]:
    """The sticks by port, as `bus.scan` tells them, but for the driver. Raises Unusable.

    Each device with a stick's numbers is asked for its strings, which takes the right to open it and some 14 ms in all:
    one that may not be opened is not known for a stick here. `backend`: pyusb's, for tests.
    """
    import usb.core  # with ctypes it takes a megabyte, which a monitor with sysfs never needs

    try:
        found = [one for one in usb.core.find(find_all=True, backend=backend) if (one.idVendor, one.idProduct) in _IDS]
    except (usb.core.NoBackendError, usb.core.USBError) as error:
        raise Unusable(str(error) or type(error).__name__) from error
    return tuple(sorted(_sticks(found, dev), key=lambda one: one.port))


def _sticks(found: list[Any], dev: Path) -> Iterator[Device]:
    for one in found:
        manufacturer, product = _asked(one, "manufacturer"), _asked(one, "product")
        model = identify(one.idVendor, one.idProduct, manufacturer, product)
        if model is not None:
            port = f"{one.bus}-{'.'.join(map(str, one.port_numbers or ()))}"
            node = dev / f"bus/usb/{one.bus:03d}/{one.address:03d}"
            yield Device(model, _asked(one, "serial_number"), port, node, "")


def _asked(device: Any, name: str) -> str:
    """Without permission pyusb raises ValueError ("no langid"), for a device that left its USBError, an OSError."""
    try:
        value = getattr(device, name)
    except (ValueError, OSError, NotImplementedError):
        return ""
    return str(value or "")
