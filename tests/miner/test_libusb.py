"""The second source, by a libusb of our own: pyusb asks it for descriptors and strings as it asks the real one."""

from __future__ import annotations

from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import usb.backend
import usb.core

from miner.usb import libusb

LANGUAGE = 0x0409
STRINGS = {1: "GekkoScience", 2: "CompacF Bitcoin Miner", 3: "10014812", 4: "FTDI", 5: "FT230X Basic UART"}


class Backend(usb.backend.IBackend):  # type: ignore[misc]
    """`devices`: (address, manufacturer, product, serial) as numbers of strings, and whether it may be opened."""

    def __init__(self, *devices: tuple[int, int, int, int, bool]) -> None:
        self._devices = devices

    def enumerate_devices(self) -> Any:
        return iter(self._devices)

    def get_device_descriptor(self, device: tuple[int, int, int, int, bool]) -> Any:
        address, manufacturer, product, serial, _ = device
        names = {"bLength": 18, "bDescriptorType": 1, "bcdUSB": 0x200, "bDeviceClass": 0, "bDeviceSubClass": 0}
        names |= {
            "bDeviceProtocol": 0,
            "bMaxPacketSize0": 8,
            "idVendor": 0x0403,
            "idProduct": 0x6015,
            "bcdDevice": 0x1000,
        }
        names |= {"iManufacturer": manufacturer, "iProduct": product, "iSerialNumber": serial, "bNumConfigurations": 1}
        return SimpleNamespace(**names, bus=1, address=address, port_number=address, port_numbers=(1, address), speed=2)

    def open_device(self, device: tuple[int, int, int, int, bool]) -> Any:
        if not device[4]:
            raise usb.core.USBError("Access denied (insufficient permissions)", errno=13)
        return device

    def close_device(self, handle: Any) -> None:
        pass

    def ctrl_transfer(
        self, handle: Any, kind: int, request: int, value: int, index: int, data: Any, timeout: int
    ) -> int:
        """GET_DESCRIPTOR of a string; string 0 lists the languages. Source: USB 2.0, 9.6.7."""
        number = value & 0xFF
        text = STRINGS[number].encode("utf-16-le") if number else LANGUAGE.to_bytes(2, "little")
        sent = bytes((2 + len(text), 3)) + text
        data[: len(sent)] = array("B", sent[: len(data)])
        return min(len(sent), len(data))


def test_it_sees_what_sysfs_sees(tmp_path: Path) -> None:
    backend = Backend((7, 1, 2, 3, True), (8, 4, 5, 3, True), (9, 1, 2, 3, False))
    (stick,) = libusb.scan(tmp_path, backend)
    assert (stick.model.label, stick.serial, stick.port) == ("CompacF", "10014812", "1-1.7")
    assert stick.node == tmp_path / "bus/usb/001/007"


def test_a_machine_without_libusb(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(**_: Any) -> Any:
        raise usb.core.NoBackendError("No backend available")

    monkeypatch.setattr(usb.core, "find", find)
    with pytest.raises(libusb.Unusable, match="No backend"):
        libusb.scan()
