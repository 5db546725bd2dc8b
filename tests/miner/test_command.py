"""What a host answers to ./inv miner.*: status, pools, freq and bench, against a cgminer on a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from miner import command
from miner.detect import Stick as Plugged
from tests.fakes.cgminer import Cgminer, Pool, Stick

Json = dict[str, Any]
Ask = Callable[..., Json]


def plugged(serial: str, port: str, *, usable: bool = True) -> Plugged:
    held = "cgminer (9)" if usable else ""
    return Plugged("CompacF", "GSF", "BM1397", serial, port, "ftdi_sio", "/dev/x", usable, 400, 209.66, held)


@pytest.fixture
def miner() -> Iterator[Cgminer]:
    with Cgminer(sticks=[Stick("1", accepted=3), Stick("2")], pools=[Pool(), Pool("stratum+tcp://b.example:1")]) as one:
        yield one


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> list[Plugged]:
    found: list[Plugged] = []
    monkeypatch.setattr(command, "look", lambda mhz: (found, []))
    return found


@pytest.fixture
def ask(miner: Cgminer, bus: list[Plugged], capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(*words: str, code: int = 0) -> Json:
        assert command.main(["--port", str(miner.port), *words]) == code
        said: Json = json.loads(capsys.readouterr().out)
        return said

    return run


def test_status_pairs_what_is_plugged_in_with_what_cgminer_has(ask: Ask, miner: Cgminer, bus: list[Plugged]) -> None:
    bus += [plugged("1", "1-1"), plugged("3", "1-3"), plugged("4", "1-4", usable=False)]
    miner.unplug("2")
    found = ask("status", "--watts", "10")
    assert [(one["key"], one["port"], one["present"], one["status"]) for one in found["sticks"]] == [
        ("1", "1-1", True, "ok"), ("GSF1", None, False, "missing"),
        ("3", "1-3", True, "not_mined"), ("4", "1-4", True, "no_permission"),
    ]  # fmt: skip
    total = found["total"]
    assert (total["ghs"], total["watts"], total["ghs_per_watt"], total["accepted"]) == (209.664, 10, 20.9664, 3)
    assert total["pool"] == miner.pools[0].url
    assert (found["api"], len(found["pools"])) == ("up", 2)


def test_a_stick_below_its_promise_is_slow_and_a_disabled_one_disabled(ask: Ask, miner: Cgminer) -> None:
    miner.stick("1").share = 0.5
    miner.stick("2").enabled = False
    assert [one["status"] for one in ask("status")["sticks"]] == ["slow", "disabled"]


@pytest.mark.parametrize(("what", "api"), [("stop", "down"), ("garbage", "strange")])
def test_without_an_answer_the_bus_is_still_shown(
    ask: Ask, miner: Cgminer, bus: list[Plugged], what: str, api: str
) -> None:
    bus.append(plugged("1", "1-1"))
    if what == "stop":
        miner.stop()
    else:
        miner.garbage = b"SSH-2.0-OpenSSH"
    found = ask("status")
    assert (found["api"], found["total"]["ghs"], found["pools"]) == (api, None, [])
    assert found["why"]
    assert [one["serial"] for one in found["sticks"]] == ["1"]


def test_pools_are_listed_and_changed(ask: Ask, miner: Cgminer) -> None:
    assert ask("pools")["said"] == ""
    changed = ask("pools", "switch", "1")
    assert "Switching to pool 1" in changed["said"]
    assert [pool["priority"] for pool in changed["pools"]] == [1, 0]
    assert ask("pools", "disable", "0")["pools"][0]["status"] == "Disabled"
    assert "Invalid pool id 7" in ask("pools", "enable", "7", code=1)["error"]


def test_a_frequency_is_set_and_read_back(ask: Ask, miner: Cgminer) -> None:
    assert ask("freq", "--", "2", "350") == {"serial": "2", "before_mhz": 400.0, "mhz": 350.0, "asked_mhz": 350.0}
    assert "100 to 800 MHz" in ask("freq", "2", "10", code=1)["error"]
    miner.stop()
    refused = ask("freq", "2", "350", code=1)
    assert "./inv miner.logs" in refused["hint"]


def test_a_bench_measures_each_frequency_and_sets_back_what_was(ask: Ask, miner: Cgminer) -> None:
    miner.stick("1").mhz = 375
    found = ask("bench", "--stick", "1", "--frequencies", "300,500", "--seconds", "0.05")
    assert [(row["serial"], row["mhz"]) for row in found["rows"]] == [("1", 300), ("1", 500)]
    assert all(row["ghs"] is not None for row in found["rows"])
    assert miner.stick("1").mhz == 375
    assert "800 MHz" in ask("bench", "--stick", "1", "--frequencies", "300,9000", "--seconds", "0.05", code=1)["error"]
    assert miner.stick("1").mhz == 375
    now = ask("bench", "--seconds", "0.05")
    assert [row["serial"] for row in now["rows"]] == ["1", "2"]
    assert "no stick 9" in ask("bench", "--stick", "9", code=1)["error"]


def test_a_bench_of_a_stick_that_goes_meanwhile_says_which_it_was(ask: Ask, miner: Cgminer) -> None:
    threading.Timer(0.3, miner.unplug, ("2",)).start()
    first, second = ask("bench", "--seconds", "1")["rows"]
    assert first["ghs"] is not None and first["hw_errors"] is not None
    assert (second["serial"], second["ghs"], second["ratio"]) == ("2", None, None)
    assert set(first) == set(second)
