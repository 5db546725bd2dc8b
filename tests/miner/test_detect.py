"""Which sticks there are, from a tree like the kernel's: never an adapter that only shares its numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from miner import detect
from miner.detect import look
from miner.sticks import identify
from miner.usb import access, libusb
from miner.usb.bus import Device

ROOT = Path(__file__).parents[2]


class Bus:
    """/sys/bus/usb/devices, /dev/bus/usb and /proc of a machine."""

    def __init__(self, root: Path) -> None:
        self.sysfs, self.dev, self.proc = root / "sys", root / "dev", root / "proc"
        self.devices = self.sysfs / "bus/usb/devices"
        self.devices.mkdir(parents=True)
        self.proc.mkdir()
        self._number = 1

    def plug(self, port: str, ids: str, maker: str, product: str, serial: str = "", driver: str = "") -> Path:
        self._number += 1
        vendor, _, model = ids.partition(":")
        facts = {"idVendor": vendor, "idProduct": model, "busnum": "1", "devnum": str(self._number)}
        facts |= {"manufacturer": maker, "product": product, "serial": serial}
        folder = self.devices / port
        folder.mkdir()
        for name, text in facts.items():
            if text:
                (folder / name).write_text(f"{text}\n")
        (folder / f"{port}:1.0").mkdir()
        if driver:
            (folder / f"{port}:1.0" / "driver").symlink_to(f"../../../drivers/{driver}")
        node = self.dev / "bus/usb/001" / f"{self._number:03}"
        node.parent.mkdir(parents=True, exist_ok=True)
        node.touch()
        node.chmod(0o666)
        return node

    def hold(self, node: Path, program: str, pid: int) -> None:
        folder = self.proc / str(pid) / "fd"
        folder.mkdir(parents=True)
        (folder.parent / "comm").write_text(f"{program}\n")
        (folder / "7").symlink_to(node)

    def look(self, **mhz: float) -> tuple[list[Any], list[Any]]:
        return look(mhz, sysfs=self.sysfs, dev=self.dev, proc=self.proc)


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    return Bus(tmp_path)


def test_sticks_are_told_from_adapters_with_the_same_numbers(bus: Bus) -> None:
    node = bus.plug("1-1.2", "0403:6015", "GekkoScience", "CompacF Bitcoin Miner", "10042", "ftdi_sio")
    bus.plug("1-1.3", "0403:6015", "FTDI", "FT231X USB UART", "D30", "ftdi_sio")
    bus.plug("2-1", "10c4:ea60", "GekkoScience", "2Pac BM1384 Bitcoin Miner", "10043")
    bus.plug("1-2", "046d:c31c", "Logitech", "USB Keyboard")
    bus.hold(node, "cgminer", 812)
    sticks, others = bus.look()
    assert [(one.type, one.serial, one.port, one.expected_ghs, one.in_use_by) for one in sticks] == [
        ("CompacF", "10042", "1-1.2", 104.83, "cgminer (812)"), ("2Pac", "10043", "2-1", 11.0, ""),
    ]  # fmt: skip
    assert sticks[0].driver == "ftdi_sio"
    assert [one.product for one in others] == ["FT231X USB UART"]


def test_what_is_asked_for_is_what_is_expected(bus: Bus) -> None:
    bus.plug("1-1", "0403:6015", "GekkoScience", "R606 Bitcoin Miner", "1")
    assert bus.look(r606=600)[0][0].expected_ghs == 820.8
    assert detect.frequencies(["r606=600", "compac=143.75"]) == {"r606": 600, "compac": 143.75}


def test_a_node_that_cgminer_may_not_open_is_not_usable(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    node = bus.plug("1-1", "0403:6015", "GekkoScience", "R606 Bitcoin Miner", "1")
    monkeypatch.setattr(access, "account", lambda name, extra: access.Account(name, 12345, frozenset({46})))
    node.chmod(0o664)
    assert [one.usable for one in bus.look()[0]] == [False]
    os.chown(node, -1, 46)  # plugdev is 46 on every Debian
    assert [one.usable for one in bus.look()[0]] == [True]
    node.unlink()
    assert [one.usable for one in bus.look()[0]] == [False]
    monkeypatch.setattr(access, "account", lambda name, extra: None)
    assert [one.usable for one in bus.look()[0]] == [None]


def test_a_stick_that_leaves_as_we_look_is_left_out(bus: Bus) -> None:
    bus.plug("1-1", "0403:6015", "GekkoScience", "R606 Bitcoin Miner", "1")
    (bus.devices / "1-1" / "devnum").unlink()
    assert bus.look() == ([], [])


def test_without_sysfs_libusb_is_asked(monkeypatch: pytest.MonkeyPatch, bus: Bus, tmp_path: Path) -> None:
    model = identify(0x0403, 0x6015, "GekkoScience", "R606 Bitcoin Miner")
    assert model is not None
    found = Device(model, "5", "1-4", tmp_path, "")
    monkeypatch.setattr(libusb, "scan", lambda dev: (found,))
    bus.devices.rmdir()
    assert [one.port for one in bus.look()[0]] == ["1-4"]


def test_the_program_answers_with_one_object() -> None:
    words = [sys.executable, "-P", "-m", "miner.detect", "--mhz", "compacf=400"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)})
    assert set(json.loads(done.stdout)) == {"sticks", "ignored"}
