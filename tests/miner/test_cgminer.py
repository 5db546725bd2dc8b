"""The client against a cgminer on a real socket: what it knows, what it changes, and every way the API misbehaves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from miner.cgminer import ApiDown, ApiRefused, ApiSlow, ApiStrange, Client, OutOfRange
from miner.cgminer.transport import exchange
from tests.fakes.cgminer import Cgminer, Pool, Stick

ROOT = Path(__file__).parents[2]
Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


@pytest.fixture
def miner() -> Iterator[Cgminer]:
    sticks = [Stick("10042", accepted=7, hw_errors=2), Stick("20001", "GSH", 150, chips=2, share=1.0)]
    pools = [Pool(accepted=9), Pool("stratum+tcp://second.example.org:3333", status="Dead")]
    with Cgminer(sticks=sticks, pools=pools) as one:
        yield one


def client_of(miner: Cgminer, timeout: float = 20.0) -> Client:
    return Client(miner.host, miner.port, timeout)


def test_the_state_joins_what_four_commands_say(miner: Cgminer) -> None:
    state = run(client_of(miner).state())
    assert miner.requests == ["summary+pools+devs+stats"]
    compac, newpac = state.sticks
    assert (compac.serial, compac.name, compac.chips, compac.mhz, compac.mhz_asked) == ("10042", "GSF", 1, 400, 400)
    assert compac.ghs == pytest.approx(209.664)
    assert compac.ratio == pytest.approx(1.0)
    assert (compac.hw_errors, compac.gone, compac.enabled, compac.temperature_c) == (2, False, True, None)
    assert compac.last_share is not None
    assert newpac.last_share is None
    assert newpac.expected_ghs == pytest.approx(34.2)
    assert state.ghs == pytest.approx(209.664 + 34.2)
    assert state.expected_ghs == pytest.approx(209.664 + 34.2)
    assert (state.accepted, state.hw_errors, state.best_share, state.found_blocks) == (7, 2, 123456, 0)
    assert [(pool.number, pool.status, pool.alive) for pool in state.pools] == [(0, "Alive", True), (1, "Dead", False)]
    assert state.pool == state.pools[0]


def test_hashrates_of_the_last_seconds_are_found_whatever_the_log_interval_is(miner: Cgminer) -> None:
    miner.log_interval = 30
    assert run(client_of(miner).state()).ghs == pytest.approx(209.664 + 34.2)


def test_an_unplugged_stick_is_gone_and_keeps_its_serial_number(miner: Cgminer) -> None:
    client = client_of(miner)
    run(client.state())
    miner.unplug("10042")
    stick = run(client.state()).stick("10042")
    assert stick is not None
    assert (stick.gone, stick.enabled, stick.ghs, stick.mhz) == (True, False, 0.0, None)


def test_a_replugged_stick_is_one_stick_with_its_new_number(miner: Cgminer) -> None:
    client = client_of(miner)
    run(client.state())
    miner.unplug("10042")
    run(client.state())
    miner.replug("10042")
    found = [stick for stick in run(client.state()).sticks if stick.serial == "10042"]
    assert [(stick.asc, stick.gone) for stick in found] == [(2, False)]
    miner.unplug("10042")
    assert [stick.asc for stick in run(client.state()).sticks if stick.serial == "10042"] == [2]


def test_whoever_asks_once_is_told_of_no_ghost_of_a_stick_that_is_back(miner: Cgminer) -> None:
    miner.sticks[0].since = miner.sticks[1].since = miner.began = miner.began - 1000
    miner.unplug("10042")
    gone = [(stick.serial, stick.asc, stick.gone) for stick in run(client_of(miner).state()).sticks]
    assert gone == [(None, 0, True), ("20001", 1, False)]
    miner.sticks[0].lost -= 60
    miner.replug("10042")
    back = [(stick.serial, stick.asc, stick.gone) for stick in run(client_of(miner).state()).sticks]
    assert back == [("20001", 1, False), ("10042", 2, False)]


def test_numbers_of_a_restarted_cgminer_do_not_mean_the_sticks_of_before(miner: Cgminer) -> None:
    client = client_of(miner)
    miner.began -= 100
    run(client.state())
    miner.unplug("10042")
    miner.plug("30003")
    miner.restart()
    miner.stick("30003")
    run(client.state())
    miner.unplug("30003")
    assert {stick.serial for stick in run(client.state()).sticks} == {"20001", "30003"}


def test_two_sticks_with_one_serial_number_stay_two() -> None:
    with Cgminer(sticks=[Stick("1"), Stick("1")]) as miner:
        assert [stick.serial for stick in run(client_of(miner).state()).sticks] == ["1", "1"]


def test_no_device_and_no_pool_are_empty_not_errors() -> None:
    with Cgminer(sticks=[], pools=[]) as miner:
        state = run(client_of(miner).state())
        assert (state.sticks, state.pools, state.pool, state.expected_ghs) == ((), (), None, None)
        reply = run(client_of(miner).ask("devs"))
        assert (reply.status.ok, reply.status.code, reply.rows("DEVS")) == (False, 10, ())


def test_a_temperature_is_only_what_a_sensor_says() -> None:
    sticks = [Stick("1", "GSA", temperature=61.5), Stick("2", "GSA"), Stick("3", "GSF")]
    with Cgminer(sticks=sticks) as miner:
        assert [stick.temperature_c for stick in run(client_of(miner).state()).sticks] == [61.5, None, None]


def test_a_plateau_is_seen_as_asked_and_target(miner: Cgminer) -> None:
    miner.drop("10042", 250)
    stick = run(client_of(miner).state()).stick("10042")
    assert stick is not None
    assert (stick.mhz, stick.mhz_target, stick.mhz_asked) == (250, 250, 400)


@pytest.mark.parametrize("quirk", [{"nan": True}, {"commas": False}, {"nul": False}, {"trickle": 97}])
def test_quirks_of_the_text_change_nothing_that_was_said(miner: Cgminer, quirk: dict[str, Any]) -> None:
    for name, value in quirk.items():
        setattr(miner, name, value)
    state = run(client_of(miner).state())
    assert [stick.serial for stick in state.sticks] == ["10042", "20001"]
    assert state.accepted == 7
    if quirk.get("nan"):
        assert (state.utility, state.ghs_avg) == (None, None)
        assert state.ghs == pytest.approx(209.664 + 34.2)


def test_nobody_listening_is_down(miner: Cgminer) -> None:
    miner.stop()
    with pytest.raises(ApiDown, match=r"no cgminer answers at 127\.0\.0\.1"):
        run(client_of(miner).state())


def test_a_peer_that_hangs_and_one_that_trickles_for_ever_are_slow(miner: Cgminer) -> None:
    miner.hang()
    with pytest.raises(ApiSlow, match=r"within 0\.2 s"):
        run(client_of(miner, 0.2).state())
    miner.release()
    miner.trickle = 1
    with pytest.raises(ApiSlow):
        run(client_of(miner, 0.2).state())


@pytest.mark.parametrize(
    ("garbage", "said"),
    [
        (b"", "api-allow"),
        (b"\0", "api-allow"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no JSON"),
        (b'{"STATUS":[{"STATUS":"S"', "cut off"),
        (b"[1]\0", "not an object"),
        (b"\xff\xfe\0", "no JSON"),
        (b"[" * 200_000, "no JSON"),
    ],
)
def test_what_is_no_reply_is_strange(miner: Cgminer, garbage: bytes, said: str) -> None:
    miner.garbage = garbage
    with pytest.raises(ApiStrange, match=said):
        run(client_of(miner).state())


def test_a_reply_without_end_is_given_up(miner: Cgminer) -> None:
    miner.garbage = b"x" * 200_000
    with pytest.raises(ApiStrange, match="longer than"):
        run(exchange(miner.host, miner.port, b"{}", 20, limit=100_000))


def test_a_frequency_is_set_by_serial_number_for_good(miner: Cgminer) -> None:
    client = client_of(miner)
    before = run(client.set_frequency("20001", 200))
    assert before.mhz == 150
    assert miner.requests[-2:] == ["ascset|1,target,200", "ascset|1,freq,200"]
    after = run(client.state()).stick("20001")
    assert after is not None
    assert (after.mhz, after.mhz_target) == (200, 200)


@pytest.mark.parametrize(
    ("stick", "mhz", "said"),
    [
        ("10042", 801, "a CompacF .BM1397. takes 100 to 800 MHz"),
        ("20001", 40, "a NewPac .BM1387. takes 50 to 900 MHz"),
        ("10043", 400, "no stick 10043; those it has: 10042, 20001"),
    ],
)
def test_a_frequency_beyond_the_chip_is_not_sent(miner: Cgminer, stick: str, mhz: float, said: str) -> None:
    with pytest.raises(OutOfRange, match=said):
        run(client_of(miner).set_frequency(stick, mhz))
    assert not [request for request in miner.requests if request.startswith("ascset")]


def test_without_write_access_it_says_which_setting(miner: Cgminer) -> None:
    miner.writable = False
    with pytest.raises(ApiRefused, match="api-allow") as refused:
        run(client_of(miner).switch_pool(1))
    assert refused.value.code == 45


def test_pools_are_switched_enabled_and_disabled(miner: Cgminer) -> None:
    client = client_of(miner)
    miner.pools[1].status = "Alive"
    assert "pool 1" in run(client.switch_pool(1))
    active = run(client.state()).pool
    assert active is not None
    assert active.number == 1
    run(client.disable_pool(1))
    assert run(client.state()).pools[1].status == "Disabled"
    with pytest.raises(ApiRefused, match="Cannot disable last active pool"):
        run(client.disable_pool(0))
    run(client.enable_pool(1))
    with pytest.raises(ApiRefused, match="Invalid pool id 9"):
        run(client.enable_pool(9))


def test_single_commands_give_their_rows(miner: Cgminer) -> None:
    client = client_of(miner)
    assert run(client.version())["API"] == "3.7"
    assert run(client.config())["Log Interval"] == 5
    assert run(client.summary())["Accepted"] == 7
    assert [len(run(ask())) for ask in (client.devs, client.pools, client.stats)] == [2, 2, 4]
    run(client.disable_stick("10042"))
    assert run(client.devs())[0]["Enabled"] == "N"
    run(client.enable_stick("10042"))
    run(client.reset_stick("10042"))
    assert run(client.stats())[0]["Resets"] == 1
    with pytest.raises(ApiRefused, match="Invalid command"):
        run(client.ask("restartt")).expect()


def test_the_fake_is_a_program_too() -> None:
    words = [sys.executable, "-P", "-m", "tests.fakes.cgminer", "--port", "0", "--sticks", "3"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(words, env={"PYTHONPATH": str(ROOT)}, **pipes) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        port = int(program.stdout.readline().rpartition(":")[2])
        program.stdin.write("unplug 10002\n")
        program.stdin.flush()
        assert program.stdout.readline() == "ok\n"
        state = run(Client(port=port, timeout=20).state())
        assert [stick.gone for stick in state.sticks] == [False, True, False]
        program.terminate()
