"""Which sticks are plugged in, who holds them, and what they promise: `python -m miner.detect`.

The kernel's own files say it all, also to those who may not open a stick; libusb is asked where they show no USB. One
JSON object goes to stdout.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from miner.sticks import MODELS, expected_ghs, identify
from miner.usb import access, bus, libusb

PROC = Path("/proc")
IDS = frozenset((f"{model.vid:04x}", f"{model.pid:04x}") for model in MODELS)
MINER, GROUP = "cgminer", "plugdev"
"""The user that cgminer runs as, and the group that its unit adds: the udev rules give it the sticks."""


@dataclass(frozen=True, slots=True)
class Stick:
    """`usable`: cgminer may open it (None: nobody can say). `in_use_by`: a program and its number, or a driver."""

    type: str
    name: str
    chip: str
    serial: str
    port: str
    driver: str
    node: str
    usable: bool | None
    mhz: float
    expected_ghs: float
    in_use_by: str


@dataclass(frozen=True, slots=True)
class Lookalike:
    """An ordinary device with the numbers of a stick's bridge."""

    port: str
    manufacturer: str
    product: str
    serial: str


def look(
    mhz: Mapping[str, float], *, sysfs: Path = bus.SYSFS, dev: Path = bus.DEV, proc: Path = PROC
) -> tuple[list[Stick], list[Lookalike]]:
    """The sticks, and what only looks like one. `mhz`: by kind, where it is not the default."""
    found = _devices(sysfs, dev)
    held = holders(proc, dev) if found else {}
    who = access.account(MINER, (GROUP,))
    return [_stick(one, mhz, held, who) for one in found], lookalikes(sysfs)


def _devices(sysfs: Path, dev: Path) -> Sequence[bus.Device]:
    if bus.has_usb(sysfs):
        return bus.scan(sysfs, dev)
    with contextlib.suppress(ImportError, libusb.Unusable):
        return libusb.scan(dev)
    return ()


def lookalikes(sysfs: Path = bus.SYSFS) -> list[Lookalike]:
    found = []
    for port, _ in sorted(bus.plugged(sysfs)):
        folder = sysfs / "bus/usb/devices" / port
        ids = (_read(folder, "idVendor"), _read(folder, "idProduct"))
        one = Lookalike(port, *(_read(folder, name) for name in ("manufacturer", "product", "serial")))
        if ids in IDS and not identify(int(ids[0], 16), int(ids[1], 16), one.manufacturer, one.product):
            found.append(one)
    return found


def holders(proc: Path = PROC, dev: Path = bus.DEV) -> dict[str, str]:
    """Device node -> "cgminer (1234)". Only root sees what other users hold."""
    found: dict[str, str] = {}
    for folder in proc.glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            for link in folder.iterdir():
                target = str(link.readlink())
                if target.startswith(f"{dev}/bus/usb/"):
                    found[target] = f"{_read(folder.parent, 'comm')} ({folder.parent.name})"
    return found


def _stick(device: bus.Device, mhz: Mapping[str, float], held: Mapping[str, str], who: access.Account | None) -> Stick:
    model, node = device.model, str(device.node)
    frequency = mhz.get(model.label.replace(" ", "").lower(), model.default_mhz)
    return Stick(
        type=model.label,
        name=model.name,
        chip=model.chip,
        serial=device.serial,
        port=device.port,
        driver=device.driver,
        node=node,
        usable=_is_usable(device.node, who),
        mhz=frequency,
        expected_ghs=round(expected_ghs(model, frequency), 2),
        in_use_by=held.get(node, device.driver if device.driver != "usbfs" else ""),
    )


def _is_usable(node: Path, who: access.Account | None) -> bool | None:
    """None where there is no user to ask for: the role miner is not deployed here."""
    if who is None:
        return None
    try:
        return access.problem(node, who) is None
    except OSError:
        return False


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(errors="replace").strip()
    except OSError:
        return ""


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
