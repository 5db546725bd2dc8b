"""What is plugged in, what it is called, and who may open it: read from a tree of files that looks like sysfs."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from miner.usb import access, bus, hotplug, known
from miner.usb.access import Account
from tests.miner.usb_kit import Bus, Plug, adapter


@pytest.fixture
def usb(tmp_path: Path) -> Bus:
    return Bus(tmp_path)


def scan(usb: Bus) -> tuple[bus.Device, ...]:
    return bus.scan(usb.sysfs, usb.dev)


def test_a_stick_is_known_by_its_strings_and_an_adapter_with_its_numbers_is_none(usb: Bus) -> None:
    usb.plug(Plug("1-1.4", driver="usbfs"))
    usb.plug(adapter("1-1.3"))
    usb.plug(Plug("1-2", "AK01", "10c4", "ea60", product="2Pac BM1384 Bitcoin Miner", number=8, driver=""))
    stick, other = scan(usb)
    assert (stick.model.label, stick.serial, stick.port, stick.hub) == ("CompacF", "10014812", "1-1.4", "1-1")
    assert (stick.driver, stick.node) == ("usbfs", usb.dev / "bus/usb/001/007")
    assert (other.model.label, other.port, other.hub, other.driver) == ("2Pac", "1-2", "", "")


def test_a_machine_without_usb_has_no_sticks(tmp_path: Path) -> None:
    assert bus.scan(tmp_path) == ()
    assert bus.plugged(tmp_path) == frozenset()
    assert not bus.has_usb(tmp_path)


def test_a_device_that_leaves_while_it_is_read_is_not_there(usb: Bus) -> None:
    usb.plug(Plug("1-1"))
    (usb.devices / "1-1" / "product").unlink()
    assert scan(usb) == ()


def test_ports_are_in_the_order_of_their_numbers(usb: Bus) -> None:
    for number, port in enumerate(("1-1.10", "1-1.9", "1-1.2.1")):
        usb.plug(Plug(port, f"S{number}", number=number))
    assert [one.port for one in scan(usb)] == ["1-1.2.1", "1-1.9", "1-1.10"]


def keys(known_: dict[str, known.Known], usb: Bus) -> dict[str, str]:
    return {key: one.port for key, one in known.settle(known_, scan(usb)).items()}


def test_a_stick_keeps_its_name_in_another_port(usb: Bus) -> None:
    remembered = dict[str, known.Known]()
    usb.plug(Plug("1-1.4"))
    assert keys(remembered, usb) == {"10014812": "1-1.4"}
    usb.unplug("1-1.4")
    assert keys(remembered, usb) == {}
    usb.plug(Plug("1-3", number=8))
    assert keys(remembered, usb) == {"10014812": "1-3"}
    assert list(remembered) == ["10014812"]


def test_equal_serial_numbers_are_told_apart_by_their_ports(usb: Bus) -> None:
    remembered = dict[str, known.Known]()
    usb.plug(Plug("1-1.4"))
    keys(remembered, usb)
    usb.plug(Plug("1-1.3", number=8))
    both = {"10014812": "1-1.4", "10014812@1-1.3": "1-1.3"}
    assert keys(remembered, usb) == both, "the one that was there first keeps its name"
    usb.unplug("1-1.4")
    assert keys(remembered, usb) == {"10014812@1-1.3": "1-1.3"}, "it is the first that is missing"
    usb.plug(Plug("1-1.4", number=9))
    assert keys(remembered, usb) == both


def test_sticks_without_a_serial_number_are_called_by_their_ports(usb: Bus) -> None:
    remembered = dict[str, known.Known]()
    usb.plug(Plug("1-1.4", None))
    usb.plug(Plug("1-1.3", "", number=8))
    assert keys(remembered, usb) == {"GSF@1-1.3": "1-1.3", "GSF@1-1.4": "1-1.4"}


def test_what_is_known_outlives_the_process(usb: Bus, tmp_path: Path) -> None:
    file, remembered = tmp_path / "sticks.json", dict[str, known.Known]()
    assert known.load(file) == {}
    usb.plug(Plug("1-1.4"))
    known.settle(remembered, scan(usb))
    known.save(file, remembered)
    assert known.load(file) == remembered
    for text in ("{", "[1]", '[{"key": "x"}]'):
        file.write_text(text)
        with pytest.raises(known.Unreadable, match=r"sticks.json"):
            known.load(file)


def test_who_may_open_a_node(usb: Bus) -> None:
    usb.plug(Plug("1-1"), mode=0o664)
    node, gid = usb.nodes["1-1"], os.getgid()
    in_group, stranger = Account("cgminer", 4711, frozenset({gid})), Account("cgminer", 4711, frozenset({4711}))
    assert access.problem(node, in_group) is None
    assert "cgminer may not open it" in (access.problem(node, stranger) or "")
    node.chmod(0o666)
    assert access.problem(node, stranger) is None
    node.chmod(0o640)
    assert access.problem(node, in_group), "to read is not enough"
    me = access.account(pwd.getpwuid(os.getuid()).pw_name)
    assert me is not None and access.problem(node, me) is None
    assert access.account("no-such-user") is None


async def _changes(usb: Bus, *steps: Callable[[], object]) -> list[tuple[str, ...]]:
    seen, changed = list[tuple[str, ...]](), asyncio.Event()

    async def told() -> None:
        seen.append(tuple(one.port for one in scan(usb)))
        changed.set()

    running = asyncio.create_task(hotplug.Hotplug(told, usb.sysfs, netlink=False).run())
    for step in steps:
        await asyncio.sleep(0.05)
        step()
        async with asyncio.timeout(20):
            await changed.wait()
        changed.clear()
    running.cancel()
    return seen


def test_without_udev_a_change_is_found_by_looking(usb: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotplug, "POLL_SECONDS", 0.02)
    plug, unplug = (lambda: usb.plug(Plug("1-1"))), (lambda: usb.unplug("1-1"))
    assert asyncio.run(_changes(usb, plug, unplug, plug)) == [("1-1",), (), ("1-1",)]
