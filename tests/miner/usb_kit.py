"""USB devices for tests: as a tree of files that looks like sysfs, and as umockdev describes them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Plug:
    """A device as the kernel shows it; the default is a CompacF."""

    port: str
    serial: str | None = "10014812"
    vid: str = "0403"
    pid: str = "6015"
    manufacturer: str = "GekkoScience"
    product: str = "CompacF Bitcoin Miner"
    number: int = 7
    driver: str = "ftdi_sio"


def adapter(port: str, number: int = 9) -> Plug:
    """An ordinary serial adapter with a stick's numbers."""
    return Plug(port, "FT4567", manufacturer="FTDI", product="FT230X Basic UART", number=number)


@dataclass
class Bus:
    """A sysfs and a /dev of files. Plug into it, unplug from it."""

    root: Path
    nodes: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.devices.mkdir(parents=True)
        (self.devices / "usb1").mkdir()
        (self.devices / "1-0:1.0").mkdir()

    @property
    def sysfs(self) -> Path:
        return self.root / "sys"

    @property
    def dev(self) -> Path:
        return self.root / "dev"

    @property
    def devices(self) -> Path:
        return self.sysfs / "bus/usb/devices"

    def plug(self, one: Plug, mode: int = 0o664) -> None:
        """Whole at once, as the kernel links a device into the bus."""
        made = self.root / f"made-{one.port}-{one.number}"
        made.mkdir()
        texts = {"idVendor": one.vid, "idProduct": one.pid, "manufacturer": one.manufacturer, "product": one.product}
        texts |= {"busnum": "1", "devnum": str(one.number)} | ({"serial": one.serial} if one.serial is not None else {})
        for name, text in texts.items():
            (made / name).write_text(text + "\n")
        interface = made / f"{one.port}:1.0"
        interface.mkdir()
        if one.driver:
            (interface / "driver").symlink_to(f"../../../bus/usb/drivers/{one.driver}")
        node = self.dev / f"bus/usb/001/{one.number:03d}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()
        node.chmod(mode)
        self.nodes[one.port] = node
        (self.devices / one.port).symlink_to(made)

    def hub(self, port: str) -> None:
        (self.devices / port).mkdir()

    def unplug(self, port: str) -> None:
        link = self.devices / port
        if not link.is_symlink():
            link.rmdir()
            return
        made = link.resolve()
        link.unlink()
        shutil.rmtree(made)
        self.nodes.pop(port).unlink()


def described(one: Plug, parent: str = "/devices/pci0000:00/usb1") -> str:
    """The device in umockdev's words. Source: umockdev's README, "record" format."""
    lines = [f"P: {parent}/{one.port}", f"N: bus/usb/001/{one.number:03d}", "E: SUBSYSTEM=usb", "E: DEVTYPE=usb_device"]
    lines += ["E: BUSNUM=001", f"E: DEVNUM={one.number:03d}", f"E: DEVNAME=/dev/bus/usb/001/{one.number:03d}"]
    lines += [f"E: PRODUCT={int(one.vid, 16):x}/{int(one.pid, 16):x}/1000"]
    lines += [f"A: idVendor={one.vid}\\n", f"A: idProduct={one.pid}\\n", f"A: manufacturer={one.manufacturer}\\n"]
    lines += [f"A: product={one.product}\\n", "A: busnum=1\\n", f"A: devnum={one.number}\\n"]
    lines += [f"A: serial={one.serial}\\n"] if one.serial is not None else []
    return "\n".join(lines) + "\n\n"
