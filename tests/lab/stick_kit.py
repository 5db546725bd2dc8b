"""USB sticks that a real kernel enumerates, for a lab host with a kernel of its own.

`dummy_hcd` is a host controller and a device controller back to back; a gadget made in configfs (libcomposite) and
bound to it is a device on that bus: of any identity, plugged and unplugged by a write. Each slot is a bus with one
port, whose power can be switched. Source: the kernel's Documentation/usb/gadget_configfs.rst.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

SLOTS = 4
GADGETS = "/sys/kernel/config/usb_gadget"

PREPARE = f"""set -e
modprobe dummy_hcd num={SLOTS}
modprobe libcomposite
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
for n in $(seq 0 {SLOTS - 1}); do basename /sys/devices/platform/dummy_hcd.$n/usb*; done
"""

MAKE = """set -e
cd {gadgets}
[ ! -d {name} ] || exit 0
mkdir {name}
cd {name}
mkdir strings/0x409 configs/c.1 functions/acm.0
echo {vid:#06x} >idVendor
echo {pid:#06x} >idProduct
printf %s {manufacturer} >strings/0x409/manufacturer
printf %s {product} >strings/0x409/product
printf %s {serial} >strings/0x409/serialnumber
ln -s functions/acm.0 configs/c.1/
"""


@dataclass(frozen=True)
class Gadget:
    """What a device says of itself. The default is one stick of a kind."""

    name: str
    serial: str
    manufacturer: str = "GekkoScience"
    product: str = "CompacF Bitcoin Miner"
    vid: int = 0x0403
    pid: int = 0x6015


ADAPTER = Gadget("adapter", "A10K2XYZ", "FTDI", "FT230X Basic UART")
"""An ordinary serial adapter: the same numbers as a stick, and not one."""


@dataclass
class Bus:
    """`on` runs a command on the host as root and returns what it printed."""

    on: Callable[[str], str]
    ports: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Loads the drivers. Slot n is then the port `ports[n]`, written as sysfs does."""
        self.ports = [f"{bus.removeprefix('usb')}-1" for bus in self.on(PREPARE).split()]
        assert len(self.ports) == SLOTS, self.ports

    def plug(self, gadget: Gadget, slot: int) -> str:
        """The device appears at that slot; returns its port."""
        words = {name: shlex.quote(str(getattr(gadget, name))) for name in ("manufacturer", "product", "serial")}
        made = MAKE.format(gadgets=GADGETS, name=gadget.name, vid=gadget.vid, pid=gadget.pid, **words)
        self.on(f"({made}) && echo dummy_udc.{slot} >{GADGETS}/{gadget.name}/UDC")
        return self.ports[slot]

    def unplug(self, gadget: Gadget) -> None:
        """It is pulled out. Nothing happens when it is not plugged in."""
        self.on(f"echo '' >{GADGETS}/{gadget.name}/UDC 2>/dev/null || true")

    def seen(self) -> dict[str, str]:
        """What the kernel has enumerated in the slots: product by port."""
        found = self.on("for d in /sys/bus/usb/devices/*-1; do echo ${d##*/}=$(cat $d/product); done 2>/dev/null; true")
        pairs = (line.split("=", 1) for line in found.splitlines() if "=" in line)
        return {port: product for port, product in pairs if port in self.ports}
