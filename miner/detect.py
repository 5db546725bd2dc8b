"""Which sticks are plugged in, who holds them, and what they promise: `python -m miner.detect`.

The kernel's own files say it all (/sys/bus/usb/devices), also to those who may not open a stick; libusb is asked where
that tree is not to be had. One JSON object goes to stdout.
"""

from __future__ import annotations

import argparse
import contextlib
import grp
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from miner.sticks import MODELS, Model, expected_ghs, identify

SYSFS = Path("/sys/bus/usb/devices")
NODES = Path("/dev/bus/usb")
PROC = Path("/proc")
GROUP = "plugdev"
"""The udev rules give sticks to it, and the unit puts cgminer into it."""
IDS = frozenset((model.vid, model.pid) for model in MODELS)


@dataclass(frozen=True, slots=True)
class Device:
    """A USB device as it describes itself. `port`: the kernel's port path, 1-1.4. `driver`: of its first interface."""

    vid: int
    pid: int
    manufacturer: str
    product: str
    serial: str
    port: str
    bus: int
    number: int
    driver: str

    def node(self, nodes: Path = NODES) -> Path:
        return nodes / f"{self.bus:03}" / f"{self.number:03}"


@dataclass(frozen=True, slots=True)
class Stick:
    """`usable`: the device node may be opened by its group. `in_use_by`: a program and its number, or a driver."""

    type: str
    name: str
    chip: str
    serial: str
    port: str
    driver: str
    node: str
    usable: bool
    mhz: float
    expected_ghs: float
    in_use_by: str


def devices(sysfs: Path = SYSFS) -> Iterator[Device]:
    """Every device with the numbers of a stick's bridge, in the order of their ports."""
    for folder in sorted(sysfs.glob("[0-9]*-*")) if sysfs.is_dir() else ():
        if ":" not in folder.name and (found := _device(folder)):
            yield found


def _device(folder: Path) -> Device | None:
    try:
        vid, pid = int(_read(folder, "idVendor"), 16), int(_read(folder, "idProduct"), 16)
        place = int(_read(folder, "busnum")), int(_read(folder, "devnum"))
    except ValueError:
        return None  # it goes away as we look
    if (vid, pid) not in IDS:
        return None
    driver = next((_link(path / "driver") for path in sorted(folder.glob(f"{folder.name}:*"))), "")
    maker, product, serial = (_read(folder, name) for name in ("manufacturer", "product", "serial"))
    return Device(vid, pid, maker, product, serial, folder.name, *place, driver)


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(errors="replace").strip()
    except OSError:
        return ""


def _link(path: Path) -> str:
    return path.readlink().name if path.is_symlink() else ""


def by_libusb() -> Iterator[Device]:
    """The same through libusb: strings only of those that we may open. Nothing where libusb is not installed."""
    try:
        import usb.core
        import usb.util

        found = list(usb.core.find(find_all=True) or ())
    except (ImportError, ValueError, OSError):  # NoBackendError is a ValueError
        return
    for one in found:
        if (one.idVendor, one.idProduct) in IDS:
            maker, product, serial = (_string(one, at) for at in (one.iManufacturer, one.iProduct, one.iSerialNumber))
            port = f"{one.bus}-{'.'.join(map(str, one.port_numbers or ()))}"
            yield Device(one.idVendor, one.idProduct, maker, product, serial, port, one.bus, one.address, "")


def _string(device: object, index: int) -> str:
    import usb.util

    try:
        return str(usb.util.get_string(device, index) or "")
    except (ValueError, OSError):  # no permission: "The device has no langid"
        return ""


def holders(proc: Path = PROC, nodes: Path = NODES) -> dict[str, str]:
    """Device node -> "cgminer (1234)". Only root sees what other users hold."""
    found: dict[str, str] = {}
    for folder in proc.glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            for link in folder.iterdir():
                target = str(link.readlink())
                if target.startswith(f"{nodes}/"):
                    found[target] = f"{_read(folder.parent, 'comm')} ({folder.parent.name})"
    return found


def look(
    mhz: Mapping[str, float], *, sysfs: Path = SYSFS, nodes: Path = NODES, proc: Path = PROC
) -> tuple[list[Stick], list[Device]]:
    """The sticks, and the ordinary devices that share a bridge with them. `mhz`: by kind, where not the default."""
    there = list(devices(sysfs)) or list(by_libusb())
    known = [(one, identify(one.vid, one.pid, one.manufacturer, one.product)) for one in there]
    held = holders(proc, nodes) if any(model for _, model in known) else {}
    sticks = [_stick(one, model, mhz, one.node(nodes), held) for one, model in known if model]
    return sticks, [one for one, model in known if not model]


def _stick(device: Device, model: Model, mhz: Mapping[str, float], node: Path, held: Mapping[str, str]) -> Stick:
    kind = model.label.replace(" ", "").lower()
    frequency = mhz.get(kind, model.default_mhz)
    return Stick(
        type=model.label,
        name=model.name,
        chip=model.chip,
        serial=device.serial,
        port=device.port,
        driver=device.driver,
        node=str(node),
        usable=_is_usable(node),
        mhz=frequency,
        expected_ghs=round(expected_ghs(model, frequency), 2),
        in_use_by=held.get(str(node), device.driver if device.driver not in ("", "usbfs") else ""),
    )


def _is_usable(node: Path) -> bool:
    """Whether its group may read and write it, as the udev rules say; root may always, which says nothing."""
    try:
        found = node.stat()
        group = grp.getgrgid(found.st_gid).gr_name
    except (OSError, KeyError):
        return False
    return (group == GROUP and found.st_mode & 0o060 == 0o060) or found.st_mode & 0o006 == 0o006


def frequencies(words: Iterable[str]) -> dict[str, float]:
    """compacf=400 r606=550 -> by kind."""
    return {kind: float(value) for kind, _, value in (word.partition("=") for word in words)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Which sticks are plugged in, as JSON.")
    parser.add_argument("--mhz", nargs="*", default=[], metavar="KIND=MHZ", help="frequencies that are asked for")
    sticks, others = look(frequencies(parser.parse_args(arguments).mhz))
    said = {"sticks": [asdict(one) for one in sticks], "ignored": [asdict(one) for one in others]}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
