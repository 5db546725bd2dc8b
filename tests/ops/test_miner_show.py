"""What a person reads about a miner: a table, and for each thing that is wrong the command that helps."""

from __future__ import annotations

from typing import Any

import pytest

from ops import miner, miner_show
from ops.errors import OpsError, UsageError
from ops.inventory import Host

Json = dict[str, Any]
STICK = {
    "key": "10042", "serial": "10042", "model": "CompacF", "port": "1-1.2", "driver": "", "present": True,
    "usable": True, "ghs": 209.66, "expected_ghs": 209.66, "mhz": 400.0, "mhz_asked": 400.0, "chips": 1,
    "temperature_c": None, "hw_errors": 2, "resets": 0, "accepted": 9, "in_use_by": "cgminer (9)", "status": "ok",
}  # fmt: skip
POOL = {
    "number": 0, "url": "stratum+tcp://pool.example.org:3333", "user": "1A.rig", "status": "Alive", "active": True,
    "priority": 0, "accepted": 9, "rejected": 0, "stale": 0,
}  # fmt: skip
TOTAL = {
    "ghs": 209.66, "expected_ghs": 209.66, "accepted": 9, "rejected": 0, "stale": 0, "hw_errors": 2,
    "best_share": 4242.0, "uptime_s": 90061, "pool": POOL["url"], "watts": 12.5, "ghs_per_watt": 16.77,
}  # fmt: skip


def found(**other: Any) -> Json:
    unit = {"active": "active", "sub": "running", "restarts": 0}
    whole: Json = {"host": "rig", "unit": unit, "build": "master-1", "api": "up", "why": "", "total": TOTAL}
    whole |= {"pools": [POOL], "sticks": [STICK], **other}
    return whole | {"advice": miner_show.advice(whole)}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"unit": {"active": "inactive"}}, ["does not run", "./inv miner.start --host rig"]),
        ({"unit": {"active": "activating"}}, ["no pool answered", "./inv miner.logs --host rig"]),
        ({"api": "down"}, ["no pool has answered yet", "miner.logs"]),
        ({"api": "slow"}, ["hangs", "./inv miner.restart --host rig"]),
        ({"api": "strange", "why": "no JSON"}, ["api_allow", "no JSON"]),
        ({"pools": [POOL | {"status": "Dead"}]}, ["no pool is alive", "setting pools"]),
        ({"sticks": []}, ["no stick is plugged in", "./inv miner.detect --host rig"]),
        ({"sticks": [STICK | {"status": "no_permission"}]}, ["may not be opened", "--role miner"]),
        ({"sticks": [STICK | {"status": "missing"}]}, ["is gone", "plug it in again"]),
        ({"sticks": [STICK | {"status": "disabled"}]}, ["given up", "power"]),
    ],
)
def test_each_thing_that_is_wrong_comes_with_what_to_do(other: Json, said: list[str]) -> None:
    advice = found(**other)["advice"]
    assert len(advice) == 1
    assert all(word in advice[0] for word in said)


def test_a_miner_that_mines_has_no_advice_and_one_screen(capsys: pytest.CaptureFixture[str]) -> None:
    whole = found()
    assert whole["advice"] == []
    miner_show.status(whole)
    shown = capsys.readouterr().out
    assert "209.7 of 209.7 GH/s at 12.5 W (16.77 GH/s a watt)" in shown.replace("\n", " ")
    assert "up 1 d 1 h" in shown
    assert "10042" in shown


def test_unknown_figures_are_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = dict.fromkeys(TOTAL) | {"watts": None}
    silent = {key: None for key in STICK} | {"key": "1-4", "model": "R606", "status": "not_mined", "present": True}
    miner_show.status(found(api="down", why="no cgminer answers", total=nothing, sticks=[silent], pools=[]))
    assert "no cgminer answers" in capsys.readouterr().out


def test_what_is_detected_and_what_only_looks_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    stick = {"type": "R606", "serial": "5", "port": "1-1", "driver": "ftdi_sio", "expected_ghs": 752.4, "mhz": 550.0}
    other = {"port": "1-2", "manufacturer": "FTDI", "product": "FT231X USB UART"}
    miner_show.detected({"host": "rig", "sticks": [stick | {"in_use_by": "", "usable": False}], "ignored": [other]})
    shown = capsys.readouterr().out
    assert "NO: not of group plugdev" in shown
    assert "port 1-2: FTDI FT231X USB UART shares its numbers with a stick, and is none" in shown
    miner_show.detected({"host": "", "sticks": [], "ignored": []})
    assert "this machine: no stick is plugged in" in capsys.readouterr().out


def test_the_live_screen_ends_with_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Json] = []

    def look() -> Json:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(found())
        return seen[-1]

    miner_show.live(look, 0)
    assert "209.7 of 209.7 GH/s" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize("mhz", ["fast", "350,", ""])
def test_what_is_no_frequency_is_refused_before_anything_connects(mhz: str) -> None:
    with pytest.raises(UsageError, match="is no frequency in MHz"):
        miner.freq(Host("rig", "10.0.0.1", roles=("miner",)), "10042", mhz, json=True)


def test_one_change_of_pools_at_a_time() -> None:
    rig = Host("rig", "10.0.0.1", roles=("miner",))
    with pytest.raises(UsageError, match="one at a time"):
        miner.pools(rig, {"switch": "1", "disable": "0"}, json=True)
    with pytest.raises(UsageError, match='"second" is no pool'):
        miner.pools(rig, {"switch": "second", "disable": None}, json=True)


def test_a_host_without_the_role_is_told_how_to_get_it() -> None:
    with pytest.raises(OpsError, match="rig has no role miner") as refused:
        miner.status(Host("rig", "10.0.0.1", roles=("base",)), json=True, watch=False)
    assert "./inv miner.install --host rig" in str(refused.value)
