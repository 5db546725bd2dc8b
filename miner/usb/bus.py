"""What is on the bus, read from sysfs: strings and numbers are there for everyone, whatever holds the device.

Source: the kernel's Documentation/ABI/testing/sysfs-bus-usb. A device's folder is named `BUS-PORT.PORT...`, the path of
ports that leads to it, which stays the same when it is unplugged and plugged in again; `usbN` is a bus's own hub, and
names with a colon are interfaces.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from miner.sticks import Model, identify

SYSFS, DEV = Path("/sys"), Path("/dev")
_PORT = re.compile(r"\d+-\d+(\.\d+)*")


@dataclass(frozen=True, slots=True)
class Device:
    """A stick on the bus.

    `port` is its path (`1-1.4`), `node` its file under /dev. `driver` is the kernel's name for who has its first
    interface: `usbfs` is a program that uses libusb, "" is nobody. `hub` is the path of its hub, "" the bus's own.
    """

    model: Model
    serial: str
    port: str
    node: Path
    driver: str

    @property
    def hub(self) -> str:
        return hub_of(self.port)


def hub_of(port: str) -> str:
    """`1-1.4` hangs on `1-1`; `1-1` on the bus itself, which is no hub that could be switched or lost."""
    return port.rpartition(".")[0]


def plugged(sysfs: Path = SYSFS) -> frozenset[tuple[str, int]]:
    """Everything that is plugged in: its port path and a number that is another once it was plugged in anew.

    Cheap: one look into one folder. Empty where there is no USB.
    """
    try:
        with os.scandir(sysfs / "bus/usb/devices") as found:
            return frozenset((one.name, one.inode()) for one in found if _PORT.fullmatch(one.name))
    except OSError:
        return frozenset()


def has_usb(sysfs: Path = SYSFS) -> bool:
    return (sysfs / "bus/usb/devices").is_dir()


def scan(sysfs: Path = SYSFS, dev: Path = DEV) -> tuple[Device, ...]:
    """The sticks by port. What leaves while it is read is not there; an adapter with a stick's numbers is none."""
    found = (_device(sysfs / "bus/usb/devices" / port, dev) for port, _ in plugged(sysfs))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: _ordered(one.port)))


def _device(folder: Path, dev: Path) -> Device | None:
    try:
        vid, pid = (int(_text(folder / name), 16) for name in ("idVendor", "idProduct"))
        model = identify(vid, pid, _text(folder / "manufacturer"), _text(folder / "product"))
        if model is None:
            return None
        bus, number = int(_text(folder / "busnum")), int(_text(folder / "devnum"))
    except (OSError, ValueError):
        return None
    return Device(model, _maybe(folder / "serial"), folder.name, _node(dev, bus, number), _driver(folder))


def _node(dev: Path, bus: int, number: int) -> Path:
    return dev / f"bus/usb/{bus:03d}/{number:03d}"


def _driver(folder: Path) -> str:
    for interface in sorted(folder.glob(f"{folder.name}:*")):
        link = interface / "driver"
        if link.is_symlink():
            return link.readlink().name
    return ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()


def _maybe(path: Path) -> str:
    """A device without a serial number has no such file."""
    try:
        return _text(path)
    except OSError:
        return ""


def _ordered(port: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", port))
