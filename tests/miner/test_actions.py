"""Actions from a request to its outcome: the monitor's side, and root's program as a process of its own.

systemctl and uhubctl are stand-ins here (scripts that note what they were told); tests/lab has the real ones.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from miner.actions import Actions, Hand, Ledger, Policy, request, uhubctl
from miner.actions.hand import Done
from miner.actions.policy import Bounds, Taken
from miner.actions.request import Request
from miner.readings import Moment
from runtime import clock

FIXTURES = Path(__file__).parent / "fixtures/uhubctl"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Bench:
    """One host: root's folder, its programs, and what was told to people."""

    folder: Path
    told: list[tuple[str, str, str, str]] = field(default_factory=list)
    seconds: float = 10_000
    boot: str = "b0"
    mute: bool = False

    def __post_init__(self) -> None:
        self.place = self.folder / "actions"
        for part in ("requests", "results"):
            (self.place / part).mkdir(parents=True)
        (self.folder / "units").mkdir()
        (self.folder / "units/cgminer.service").touch()
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        self.sysfs = self.folder / "sysfs"
        self.sysfs.mkdir()
        self.log = self.folder / "log"
        self.log.touch()
        self.program("systemctl", '[ "$1" = show ] && echo loaded; exit 0')
        self.program("uhubctl", f"cat {FIXTURES}/cycle.txt")

    def program(self, name: str, body: str) -> None:
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>{self.log}\n{body}\n')
        path.chmod(0o755)

    def now(self) -> Moment:
        return Moment(BEGIN + timedelta(seconds=self.seconds), self.seconds, self.boot)

    async def tell(self, kind: str, severity: str, text: str, key: str) -> None:
        if self.mute:
            raise OSError("the disk is full")
        self.told.append((kind, severity, text, key))

    def actions(self, policy: Policy | None = None, **more: Any) -> Actions:
        ledger, hand = (
            Ledger(self.folder / "actions.jsonl"),
            Hand(self.place, [self.folder / "units"], taken_s=10, done_s=30),
        )
        wanted = policy or Policy()
        return Actions(wanted, self.tell, ledger=ledger, hand=hand, now=self.now, language="en", **more)

    def root(self, *more: str) -> subprocess.CompletedProcess[str]:
        """What systemd starts when a request is there."""
        ports = ("--port", "2-1", "--port", "1-1.*")
        options = ("--place", self.place, "--sysfs", self.sysfs, "--uhubctl", self.programs / "uhubctl", *ports, *more)
        words = [sys.executable, "-P", "-m", "miner.actions.root", *map(str, options)]
        env = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}"}
        return subprocess.run(words, env=env, capture_output=True, text=True, check=True, timeout=60)

    async def path_unit(self) -> None:
        """Starts root's program whenever the folder is not empty, as a path unit does."""
        while True:
            if any((self.place / "requests").iterdir()):
                await asyncio.to_thread(self.root)
            await asyncio.sleep(0.02)

    def ask(self, port: str = "") -> str:
        """A request as the monitor leaves it; returns its id."""
        wanted = Request(f"{request.boot()}-{os.urandom(6).hex()}", port)
        (self.place / "requests" / wanted.name).touch()
        return wanted.id

    def answer(self, id: str) -> Done | None:
        return Hand(self.place).result(id)

    @property
    def called(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def with_root(bench: Bench, work: Callable[[], Awaitable[Any]]) -> Any:
    async def both() -> Any:
        unit = asyncio.create_task(bench.path_unit())
        try:
            return await work()
        finally:
            unit.cancel()
            await asyncio.gather(unit, return_exceptions=True)

    return asyncio.run(both())


def test_a_restart_is_told_done_told_and_recorded(bench: Bench) -> None:
    actions = bench.actions()
    outcome = with_root(bench, lambda: actions.request("miner", "it hangs", "telegram"))
    assert (outcome.outcome, outcome.http_status) == ("done", 202)
    assert bench.called[-1] == "systemctl restart cgminer.service"
    texts = [text for _, _, text, _ in bench.told]
    assert texts == ["Restart of cgminer: now. By telegram. Why: it hangs", "Restart of cgminer: done."]
    assert [kind for kind, *_ in bench.told] == ["action", "action"]
    (again,) = bench.actions().recent()
    assert (again.what, again.by, again.why, again.outcome) == ("miner", "telegram", "it hangs", "done")
    assert list((bench.place / "requests").iterdir()) == []


def test_asking_twice_is_one_restart_also_over_a_restart_of_the_monitor(bench: Bench) -> None:
    with_root(bench, lambda: bench.actions().request("miner", "", "telegram"))
    bench.seconds += 5
    refused = asyncio.run(bench.actions().request("miner", "", "telegram"))
    assert (refused.outcome, refused.reason, refused.http_status) == ("refused", "too soon", 429)
    assert refused.text == "too soon; again in 55 s"
    assert len(bench.told) == 2


def test_while_one_goes_on_another_is_refused(bench: Bench) -> None:
    async def two() -> tuple[str, str, int]:
        actions = bench.actions()
        first = await actions.begin("miner", "", "telegram")
        second = await actions.begin("power:1-1.4", "", "telegram")
        await actions.close()
        return first.outcome, second.reason, second.http_status

    assert asyncio.run(two()) == ("started", "running", 409)


def test_what_cannot_be_announced_or_recorded_is_not_done(bench: Bench) -> None:
    bench.mute = True
    outcome = asyncio.run(bench.actions().request("miner", "", "telegram"))
    assert (outcome.outcome, outcome.text) == ("failed", "it could not be announced: the disk is full")
    assert list((bench.place / "requests").iterdir()) == []
    bench.mute = False
    actions = bench.actions()
    (bench.folder / "actions.jsonl").unlink()
    (bench.folder / "actions.jsonl").mkdir()
    refused = asyncio.run(actions.request("power:1-1.4", "", "telegram"))
    assert (refused.outcome, refused.reason) == ("refused", "not recorded")
    assert bench.told == []


@pytest.mark.parametrize(
    ("what", "reason"),
    [("reboot", "unknown"), ("power", "unknown"), ("power:../x", "unknown"), ("pool", "not installed")],
)
def test_what_it_does_not_know_is_refused(bench: Bench, what: str, reason: str) -> None:
    outcome = asyncio.run(bench.actions().request(what, "", "api"))
    assert (outcome.outcome, outcome.reason) == ("refused", reason)


def test_a_host_without_the_unit_refuses_with_what_to_set(bench: Bench) -> None:
    (bench.place / "requests").rmdir()
    outcome = asyncio.run(bench.actions().request("miner", "", "telegram"))
    assert (outcome.reason, outcome.http_status) == ("not installed", 409)
    assert "setting `actions`" in outcome.text


def test_a_host_without_cgminer_refuses_before_anything_is_told(bench: Bench) -> None:
    (bench.folder / "units/cgminer.service").unlink()
    outcome = asyncio.run(bench.actions().request("miner", "", "telegram"))
    assert (outcome.reason, outcome.http_status, bench.told) == ("no miner", 409, [])
    assert "role miner" in outcome.text


def test_a_request_that_nobody_takes_is_taken_back(bench: Bench) -> None:
    hand = Hand(bench.place, taken_s=0.2, done_s=10)
    done = asyncio.run(hand.do(Request(hand.new_id())))
    assert (done.ok, done.code) == (False, "not taken")
    assert list((bench.place / "requests").iterdir()) == []


def test_a_monitor_that_was_killed_meanwhile_tells_the_outcome_at_its_next_start(bench: Bench) -> None:
    async def killed() -> None:
        actions = bench.actions()
        await actions.begin("miner", "", "telegram")
        while not any((bench.place / "requests").iterdir()):
            await asyncio.sleep(0.01)
        await actions.close()

    asyncio.run(killed())
    bench.root()
    later = bench.actions()
    asyncio.run(later.open())
    assert [text for _, _, text, _ in bench.told][-1] == "Restart of cgminer: done."
    assert later.recent()[0].outcome == "done"
    asyncio.run(bench.actions().open())
    assert len(bench.told) == 2


def test_one_that_was_killed_before_root_looked_takes_its_request_back(bench: Bench) -> None:
    async def killed() -> None:
        actions = bench.actions()
        await actions.begin("miner", "", "telegram")
        await asyncio.sleep(0.2)
        await actions.close()

    asyncio.run(killed())
    later = bench.actions()
    asyncio.run(later.open())
    assert list((bench.place / "requests").iterdir()) == []
    assert later.recent()[0].outcome == "unknown"
    assert "the monitor stopped meanwhile" in bench.told[-1][2]


@dataclass(frozen=True)
class Alert:
    rule: str = "miner.no_hashrate"
    target: str = ""
    since: datetime = BEGIN
    text: str = "no hashrate for 20 min"
    muted: bool = False
    silence: str = ""


def test_healing_begins_one_thing_and_does_not_hold_up_the_cycle(bench: Bench) -> None:
    heals = Policy(miner=Bounds(heal=True, alerts=("miner.no_hashrate",), after_s=600))

    async def cycles() -> list[str | None]:
        actions = bench.actions(heals)
        found = [await actions.consider([Alert()], bench.now()) for _ in range(3)]
        while not actions.recent()[0].outcome:
            await asyncio.sleep(0.02)
        return [one and one.outcome for one in found]

    assert with_root(bench, cycles) == ["started", None, None]
    assert bench.told[0][2] == "Restart of cgminer: now. By the monitor. Why: no hashrate for 20 min"
    assert bench.called.count("systemctl restart cgminer.service") == 1
    assert asyncio.run(bench.actions().consider([Alert()], bench.now())) is None


@dataclass
class Miner:
    pools: list[Any]
    switched: list[int] = field(default_factory=list)

    async def state(self) -> Miner:
        return self

    async def switch_pool(self, number: int, /) -> None:
        if number > 5:
            raise ConnectionRefusedError("nobody listens")
        self.switched.append(number)


@dataclass(frozen=True)
class Pool:
    number: int
    status: str
    priority: int
    active: bool = False


def test_a_change_of_pool_needs_no_root(bench: Bench) -> None:
    miner = Miner([Pool(0, "Rejecting", 0, True), Pool(1, "Alive", 1)])
    outcome = asyncio.run(bench.actions(miner=miner).request("pool", "", "api"))
    assert (outcome.outcome, miner.switched) == ("done", [1])
    bench.seconds += 60
    outcome = asyncio.run(bench.actions(miner=miner).request("pool:9", "", "api"))
    assert outcome.outcome == "failed"
    assert "nobody listens" in outcome.text


def test_the_record_survives_a_torn_line_and_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "actions.jsonl"
    ledger = Ledger(path)
    first = Taken("0-0", "miner", BEGIN, 1.0, "b", "api", "é", False)
    for number in range(700):
        ledger.end(_begun(ledger, replace(first, id=f"{number}")), "done", "")
    with path.open("a") as file:
        file.write('{"begun": {"id": "torn')
    again = Ledger(path)
    assert [one.id for one in again.all] == [f"{number}" for number in range(200, 700)]
    again.begin(replace(first, id="after"))
    last = Ledger(path).all[-1]
    assert (last.id, last.outcome, last.why) == ("after", "", "é")
    assert len(path.read_text().splitlines()) < 1100


def _begun(ledger: Ledger, action: Taken) -> Taken:
    ledger.begin(action)
    return action


# Root's program.


def test_root_cycles_a_port_of_the_list_and_says_so(bench: Bench) -> None:
    id = bench.ask("2-1")
    bench.root()
    assert bench.answer(id) == Done(True, "done", "2-1")
    assert bench.called == ["uhubctl -l 2 -p 1 -a cycle -d 5"]


def test_root_does_nothing_that_its_command_line_does_not_allow(bench: Bench) -> None:
    ids = [bench.ask(port) for port in ("3-1", "1-1.2.3", "1-1")]
    bench.root()
    assert {answer.code for answer in map(bench.answer, ids) if answer} == {"port not allowed"}
    assert bench.called == []


def test_root_leaves_a_port_alone_that_holds_anything_but_a_stick(bench: Bench) -> None:
    def plugged(product: str) -> str:
        device = bench.sysfs / "1-1.3"
        device.mkdir(exist_ok=True)
        told = {"idVendor": "0403", "idProduct": "6015", "manufacturer": "FTDI", "product": product}
        if "Miner" in product:
            told["manufacturer"] = "GekkoScience"
        for name, text in told.items():
            (device / name).write_text(f"{text}\n")
        return bench.ask("1-1.3")

    serial = plugged("FT230X Basic UART")
    bench.root()
    assert bench.answer(serial) == Done(False, "other device", "FT230X Basic UART")
    assert bench.called == []
    stick = plugged("CompacF Bitcoin Miner")
    bench.root()
    assert [line.split()[0] for line in bench.called] == ["uhubctl"]
    assert bench.answer(stick) == Done(False, "power failed", bench.answer(stick).detail)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name", ["restart", "x.restart", "../../etc", "00000000-000000000000.power.1-1;reboot", ".hidden", "a\nb"]
)
def test_root_removes_what_is_no_request_and_does_nothing(bench: Bench, name: str) -> None:
    path = bench.place / "requests" / name.replace("/", "_")
    path.touch()
    (bench.place / "requests" / "folder").mkdir()
    (bench.place / "requests" / "folder" / "file").touch()
    bench.root()
    assert list((bench.place / "requests").iterdir()) == []
    assert list((bench.place / "results").iterdir()) == []
    assert bench.called == []


def test_root_follows_no_link_out_of_its_folder(bench: Bench) -> None:
    precious = bench.folder / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (bench.place / "requests" / "link").symlink_to(precious)
    (bench.place / "requests" / f"{request.boot()}-0123456789ab.restart").symlink_to(precious / "file")
    bench.root()
    assert (precious / "file").exists()
    assert list((bench.place / "requests").iterdir()) == []


def test_root_does_not_do_what_was_asked_before_the_machine_started(bench: Bench) -> None:
    old = Request("00000000-0123456789ab")
    (bench.place / "requests" / old.name).touch()
    bench.root()
    assert bench.answer(old.id) == Done(False, "another boot", "")
    assert bench.called == []


def test_root_counts_for_itself(bench: Bench) -> None:
    ids = [bench.ask() for _ in range(4)]
    bench.root("--restarts", "3")
    answers = sorted(answer.code for answer in map(bench.answer, ids) if answer)
    assert answers == ["done", "done", "done", "limit"]
    counted = bench.place / "counted.json"
    assert counted.stat().st_mode & 0o777 == 0o600
    counted.write_text(json.dumps({"restart": [clock.now().timestamp() - 90_000] * 3}))
    later = bench.ask()
    bench.root("--restarts", "3")
    assert bench.answer(later) == Done(True, "done", "cgminer.service")


def test_root_says_what_systemd_said(bench: Bench) -> None:
    bench.program("systemctl", '[ "$1" = show ] && echo not-found; exit 0')
    missing = bench.ask()
    bench.root("--unit", "other.service")
    assert bench.answer(missing) == Done(False, "unit missing", "other.service")
    bench.program("systemctl", '[ "$1" = show ] && echo loaded; [ "$1" = restart ] && echo "Job failed" >&2 && exit 1')
    failed = bench.ask()
    bench.root()
    assert bench.answer(failed) == Done(False, "unit failed", "Job failed")


def test_root_says_when_a_hub_cannot_switch(bench: Bench) -> None:
    bench.program("uhubctl", f"cat {FIXTURES}/none.txt; exit 1")
    id = bench.ask("1-1.4")
    bench.root()
    assert bench.answer(id) == Done(False, "cannot switch", "1-1.4")
    (bench.programs / "uhubctl").unlink()
    id = bench.ask("1-1.4")
    bench.root()
    assert bench.answer(id) == Done(False, "no uhubctl", str(bench.programs / "uhubctl"))


# What uhubctl prints, recorded on a hub with switchable ports.


def test_uhubctls_words_are_understood() -> None:
    text = (FIXTURES / "cycle.txt").read_text()
    seen = [(one.hub, one.port, one.off) for one in uhubctl.statuses(text)]
    assert seen == [("2", "1", False), ("2", "1", True), ("2", "1", True), ("2", "1", False)]
    assert uhubctl.cycled(text, "2-1")
    assert not uhubctl.cycled(text, "2-2")
    assert not uhubctl.cycled((FIXTURES / "status.txt").read_text(), "2-1")
    assert uhubctl.switchable(text) and not uhubctl.switchable((FIXTURES / "none.txt").read_text())


@pytest.mark.parametrize(
    ("port", "hub", "number"), [("1-1.4", "1-1", "4"), ("1-4", "1", "4"), ("3-1.2.7", "3-1.2", "7")]
)
def test_a_ports_path_names_its_hub(port: str, hub: str, number: str) -> None:
    assert request.hub_and_port(port) == (hub, number)
    assert request.allowed(port, (port,))
    assert request.allowed(port, (port[: -len(number)] + "*",))
    assert not request.allowed(port, ("9-*", "1-1", "1-1.*"[:-2] + ".9"))
