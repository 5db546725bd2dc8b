"""What is measured of a miner and its sticks: a cgminer that speaks its API, a bus of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from miner.monitor.collect.mining import Mining
from miner.monitor.collect.rates import PerHour, Ratios
from miner.monitor.collect.sticks import Sticks
from miner.monitor.settings import Address
from miner.readings import Reading
from miner.usb import access
from runtime import clock
from tests.fakes.cgminer import Cgminer, Stick
from tests.miner.collect_kit import found_by, value
from tests.miner.usb_kit import Bus, Plug


def mining(cgminer: Cgminer, serials: dict[str, list[str]] | None = None, timeout: float = 3.0) -> Mining:
    return Mining(Address("127.0.0.1", cgminer.port), timeout, lambda: serials or {})


def test_a_miner_and_its_sticks() -> None:
    with Cgminer(sticks=[Stick("10001", share=1.0), Stick("10002", asked=400, mhz=300, share=0.5)]) as cgminer:
        found = found_by(mining(cgminer))
    assert value(found, "miner.api") == value(found, "miner.pools_alive") == value(found, "miner.first_pool") == 1
    assert value(found, "stick.frequency_ratio", "10002") == 0.75
    assert (
        0 < (value(found, "stick.hashrate_ratio", "10002") or 0) < (value(found, "stick.hashrate_ratio", "10001") or 0)
    )
    assert (value(found, "miner.ghs") or 0) > (value(found, "stick.ghs", "10001") or 0)


def test_two_sticks_with_one_serial_number_have_the_names_that_the_bus_gave_them() -> None:
    with Cgminer(sticks=[Stick("7"), Stick("7")]) as cgminer:
        found = found_by(mining(cgminer, {"7": ["7", "7@1-3"]}))
    assert {target for metric, target in found if metric == "stick.ghs"} == {"7", "7@1-3"}


def test_a_miner_that_hangs_or_is_gone_says_nothing_of_its_sticks() -> None:
    with Cgminer(sticks=[Stick("10001")]) as cgminer:
        miner = mining(cgminer, timeout=0.3)
        found_by(miner)
        cgminer.hang()
        hung = found_by(miner)
        assert (miner.api, value(hung, "miner.api"), value(hung, "stick.ghs", "10001")) == ("slow", 0.0, None)
        cgminer.release()
        assert value(found_by(miner), "miner.api") == 1
    assert value(found_by(miner), "miner.api") == 0
    assert miner.api == "down"


def test_ratios_wait_until_they_mean_something(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(clock, "steady", lambda: now[0])
    ratios = Ratios(60)
    assert ratios.of("m", "", 5, 100) == []
    now[0] += 30
    assert ratios.of("m", "", 9, 110) == []
    now[0] += 31
    assert ratios.of("m", "", 10, 150) == [Reading("m", "", 0.1)]
    assert ratios.of("m", "", 0, 3) == [], "cgminer was started anew: its counters began again"
    now[0] += 61
    assert ratios.of("m", "", 1, 5) == [Reading("m", "", 0.5)]


def test_what_happened_within_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now, counts = [0.0], PerHour()
    monkeypatch.setattr(clock, "steady", lambda: now[0])
    assert [counts.of("s", count) for count in (4, 5, 7)] == [0, 1, 3]
    now[0] = 3700
    assert counts.of("s", 8) == 1
    assert counts.of("s", 0) == 0


def test_sticks_that_are_missing_are_missed_until_they_are_forgotten(tmp_path: Path) -> None:
    usb, state = Bus(tmp_path / "usb"), tmp_path / "state"
    state.mkdir()
    usb.hub("1-1")
    usb.plug(Plug("1-1.4"))
    made = lambda: Sticks(state, usb.sysfs, usb.dev, lambda: access.account("nobody"))  # noqa: E731
    found = found_by(made())
    assert value(found, "stick.present", "10014812") == value(found, "hub.present", "1-1") == 1
    assert value(found, "stick.usable", "10014812") == 0
    assert "nobody may not open it" in found["stick.usable", "10014812"].note
    usb.unplug("1-1.4")
    usb.unplug("1-1")
    sticks = made()
    found = found_by(sticks)
    assert value(found, "stick.present", "10014812") == value(found, "hub.present", "1-1") == 0, "after a restart too"
    assert sticks.within() == {"10014812": "1-1"}
    assert sticks.forget("10014812") and not sticks.forget("10014812")
    said = {thing: (one.value, one.note) for thing, one in found_by(sticks).items()}
    assert said == {("stick.present", "10014812"): (1, "forgotten"), ("hub.present", "1-1"): (1, "forgotten")}
    assert found_by(made()) == {}


def test_a_hub_is_missed_as_long_as_a_stick_that_hung_on_it_is(tmp_path: Path) -> None:
    usb, state = Bus(tmp_path / "usb"), tmp_path / "state"
    state.mkdir()
    usb.hub("1-1")
    for number, port in ((3, "1-1.4"), (4, "1-1.3")):
        usb.plug(Plug(port, str(number), number=number))
    sticks = Sticks(state, usb.sysfs, usb.dev, lambda: None)
    found_by(sticks)
    for name in ("1-1.4", "1-1.3", "1-1"):
        usb.unplug(name)
    found_by(sticks)
    assert sticks.forget("3")
    assert value(found_by(sticks), "hub.present", "1-1") == 0
    assert sticks.forget("4")
    assert value(found_by(sticks), "hub.present", "1-1") == 1


def test_a_damaged_memory_of_sticks_is_put_aside(tmp_path: Path) -> None:
    usb = Bus(tmp_path / "usb")
    (tmp_path / "sticks.json").write_text("{")
    assert found_by(Sticks(tmp_path, usb.sysfs, usb.dev, lambda: None)) == {}
    assert (tmp_path / "sticks.json.damaged").read_text() == "{"
