"""What the engine does with a document: order, errors, what depends on what, and what a plan shows."""

from __future__ import annotations

import io
import json
import os
import select
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from ops.agent import systemd
from ops.agent.channel import Channel
from ops.agent.engine import Engine, digest
from ops.agent.host import HostError
from ops.agent.kinds.base import Change, Kind, State, Want
from ops.agent.memory import Memory


class Thing(Kind):
    """A resource of this test: what the host has is a dict, and how it misbehaves comes with the item."""

    def __init__(self) -> None:
        self.has: dict[str, str] = {}
        self.fails: dict[str, Exception] = {}
        self.log: list[str] = []

    def read(self, want: Want) -> State:
        return {"value": self.has.get(want["name"], "")}

    def changes(self, state: State, want: Want) -> list[Change]:
        return [] if state["value"] == want["value"] else [Change("value", state["value"], want["value"])]

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        self.log.append(want["name"])
        if want["name"] in self.fails:
            raise self.fails[want["name"]]
        if "sticks" not in want:
            self.has[want["name"]] = want["value"]

    def keep(self, state: State, want: Want) -> dict[str, Any]:
        return {"name": want["name"], "value": state["value"]}


def thing(name: str, role: str = "base", *, fails: Exception | None = None, **want: Any) -> dict[str, Any]:
    plain = {"key": f"thing:{name}", "kind": "thing", "role": role, "restarts": []}
    return {**plain, "want": {"name": name, "value": "1", **want}, "fails": fails}


class Bench:
    """An engine over Things, with the controller's end of its channel."""

    def __init__(self, root: Path) -> None:
        self.root, self.things = root, Thing()
        self.to_agent, self.from_agent = 0, 0

    def run(self, *items: dict[str, Any], mode: str = "apply", before: Any = None, **more: Any) -> Engine:
        memory = Memory(self.root)
        self.things.fails = {item["want"]["name"]: item["fails"] for item in items if item.get("fails")}
        if mode == "apply":
            memory.prepare()
        stdin, self.to_agent = os.pipe()
        self.from_agent, stdout = os.pipe()
        with os.fdopen(stdin, "rb") as source:
            channel = Channel(source, stdout)
            engine = Engine({"resources": list(items), "after": {}, "mode": mode, **more}, memory, channel)
            engine.kinds["thing"] = self.things
            if before:
                before(channel)
            engine.run()
            memory.save() if mode == "apply" else None
        os.close(stdout)
        with os.fdopen(self.from_agent) as said:
            self.events = [json.loads(line) for line in said]
        os.close(self.to_agent)
        return engine

    def results(self) -> dict[str, str]:
        return {event["resource"].partition(":")[2]: event["result"] for event in self.events if "result" in event}

    def why(self, name: str) -> str:
        return str(next(e["why"] for e in self.events if e["event"] == "result" and e["resource"] == f"thing:{name}"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "state")


def test_resources_are_applied_in_the_order_written(bench: Bench) -> None:
    engine = bench.run(thing("c"), thing("a"), thing("b"))
    assert bench.things.log == ["c", "a", "b"]
    assert engine.tally.changed == ["thing:c", "thing:a", "thing:b"]
    assert [event["event"] for event in bench.events] == ["start", "result"] * 3


def test_what_is_as_planned_is_left_alone(bench: Bench) -> None:
    bench.things.has = {"a": "1"}
    assert bench.run(thing("a"), thing("b")).tally.changed == ["thing:b"]
    assert bench.results() == {"a": "ok", "b": "changed"}
    assert bench.things.log == ["b"]


@pytest.mark.parametrize(
    "error", [HostError("the host says no", "ask it nicely"), PermissionError(1, "Operation not permitted", "/x")]
)
def test_an_error_stops_its_role_and_no_other(bench: Bench, error: Exception) -> None:
    engine = bench.run(thing("a"), thing("b", fails=error), thing("c"), thing("d", "perf"))
    assert bench.results() == {"a": "changed", "b": "failed", "c": "skipped", "d": "changed"}
    assert bench.why("c") == "thing:b failed"
    assert bench.why("b") in ("the host says no", "/x: Operation not permitted")
    assert engine.tally.failed == ["thing:b"]


def test_roles_that_stand_on_a_failed_one_are_skipped_however_far(bench: Bench) -> None:
    after = {"base": [], "web": ["base"], "report": ["web"], "perf": []}
    items = thing("a", fails=HostError("no")), thing("b", "web"), thing("c", "report"), thing("d", "perf")
    engine = bench.run(*items, after=after)
    assert bench.results() == {"a": "failed", "b": "skipped", "c": "skipped", "d": "changed"}
    assert (bench.why("b"), bench.why("c")) == ("role base failed", "role web failed")
    assert [role for role in after if engine.is_stopped(role)] == ["base", "web", "report"]


def test_a_role_that_needs_anothers_failed_resource_is_skipped(bench: Bench) -> None:
    items = thing("release", "web", fails=HostError("tampered")), thing("unit", "perf")
    bench.run(*items, needs={"perf": ["thing:release"]})
    assert bench.results() == {"release": "failed", "unit": "skipped"}
    assert bench.why("unit") == "thing:release failed"


def test_a_unit_that_will_not_run_ends_the_run(bench: Bench) -> None:
    engine = bench.run(thing("a", fails=HostError("exit 1", unit="web.service")), thing("b", "perf"))
    assert engine.tally.unit_failed == "web.service"
    assert bench.results() == {"a": "failed", "b": "skipped"}
    assert bench.why("b") == "web.service would not run: the run is undone"


def test_a_change_that_does_not_stick_is_a_failure(bench: Bench) -> None:
    bench.run(thing("a", sticks=False))
    assert bench.results() == {"a": "failed"}
    assert bench.why("a") == "it was applied but the host still differs: value: nothing instead of 1"
    assert Memory(bench.root).applied("thing:a") == "", "the next plan must not call it drift"


def test_the_way_back_is_noted_before_the_change(bench: Bench) -> None:
    bench.things.has = {"a": "0"}
    bench.run(thing("a", fails=HostError("died")))
    (note,) = Memory(bench.root).undo_notes()
    assert note == {"key": "thing:a", "kind": "thing", "kept": {"name": "a", "value": "0"}}


def test_restarts_are_owed_before_the_change(bench: Bench) -> None:
    memory = Memory(bench.root)
    memory.prepare()
    memory.set_inputs("web.service", "old")
    bench.run(thing("a", fails=HostError("died")) | {"restarts": ["web.service"]})
    assert Memory(bench.root).inputs("web.service") == "stale:old"


def test_a_plan_applies_and_writes_nothing(bench: Bench) -> None:
    bench.things.has = {"b": "1"}
    assert bench.run(thing("a"), thing("b"), mode="plan").tally.changed == ["thing:a"]
    assert bench.results() == {"a": "change", "b": "ok"}
    assert bench.things.log == []
    assert not bench.root.exists()


def test_a_plan_calls_drift_what_was_as_planned_before(bench: Bench) -> None:
    bench.run(thing("a"), thing("b"))
    bench.things.has = {"a": "edited", "b": "edited"}
    bench.run(thing("a"), thing("b", value="2"), mode="plan")
    assert bench.results() == {"a": "drift", "b": "change"}


def shown(**fields: str) -> dict[str, str]:
    base = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}
    return base | {"NeedDaemonReload": "no", "ConditionResult": "yes"} | fields


def unit(restart_on: list[str]) -> dict[str, Any]:
    state = {"name": "web.service", "enabled": True, "running": True, "service": "", "inputs": "new"}
    return {
        "key": "unit:web.service",
        "kind": "unit",
        "role": "base",
        "restarts": [],
        "want": {**state, "restart_on": restart_on},
    }


@pytest.mark.parametrize(
    ("inputs", "state", "whats"),
    [
        ("new", shown(), ["restart"]),
        ("old", shown(), ["restart"]),
        ("new", shown(ActiveState="inactive", SubState="dead"), ["running"]),
        ("new", shown(ActiveState="inactive", ConditionResult="no", ConditionTimestampMonotonic="5"), None),
    ],
    ids=["drift of a cause", "cause of a new plan", "stopped", "condition unmet"],
)
def test_a_plan_shows_the_restart_that_would_follow_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, inputs: str, state: dict[str, str], whats: list[str] | None
) -> None:
    monkeypatch.setattr(systemd, "show", lambda names: dict.fromkeys(names, state))
    memory = Memory(bench.root)
    memory.prepare()
    memory.set_inputs("web.service", inputs)
    bench.run(thing("a"), unit(["thing:a"]), mode="plan")
    last = bench.events[-1]
    assert [change["what"] for change in last["changes"]] == (whats or [])
    if whats is None:
        assert last["result"] == "skipped"


def test_an_interruption_falls_between_two_resources(bench: Bench) -> None:
    def stop_at_first(channel: Channel) -> None:
        apply = bench.things.apply

        def applied(want: Want, state: State, changes: list[Change]) -> None:
            apply(want, state, changes)
            channel._stop = want["name"] == "b"

        bench.things.apply = applied  # type: ignore[method-assign]

    engine = bench.run(thing("a"), thing("b"), thing("c"), before=stop_at_first)
    assert bench.results() == {"a": "changed", "b": "changed"}
    assert engine.tally.interrupted == "stopped by the person who ran it"


def test_stopped_before_the_first_resource_nothing_is_touched(bench: Bench) -> None:
    bench.run(thing("a"), before=lambda channel: setattr(channel, "_stop", True))
    assert bench.things.log == []


def test_a_document_with_no_resources_is_done(bench: Bench) -> None:
    tally = bench.run().tally
    assert (tally.changed, tally.failed, tally.interrupted, bench.events) == ([], [], "", [])


def test_the_digest_of_a_want_does_not_depend_on_its_order() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


@pytest.fixture
def pipes() -> Iterator[Callable[[], tuple[Channel, BinaryIO, int]]]:
    """pipes() -> (the agent's channel, the controller's way in, the controller's way out)"""
    made: list[tuple[Channel, BinaryIO, int, int]] = []

    def make() -> tuple[Channel, BinaryIO, int]:
        stdin, way_in = os.pipe()
        way_out, stdout = os.pipe()
        made.append((Channel(os.fdopen(stdin, "rb"), stdout), os.fdopen(way_in, "wb", 0), way_out, stdout))
        return made[-1][:3]

    yield make
    for channel, way_in, way_out, stdout in made:
        way_in.close()
        channel.source.close()  # after the thread that reads it has seen the end
        channel._gone = True
        os.close(way_out)
        os.close(stdout)


def until(holds: Callable[[], object], within: float = 5) -> bool:
    import time

    end = time.monotonic() + within
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)
    return bool(holds())


def test_the_end_of_input_means_that_the_controller_went_away(pipes: Any) -> None:
    channel, way_in, _ = pipes()
    channel.listen()
    assert channel.interrupted == ""
    way_in.close()
    assert until(lambda: channel.interrupted == "the controller went away")


def test_a_word_to_stop_and_a_ping(pipes: Any) -> None:
    channel, way_in, _ = pipes()
    channel.listen()
    way_in.write(b'{"cmd": "ping"}\n')
    assert not until(lambda: channel.interrupted, within=0.1)
    way_in.write(b'{"cmd": "stop"}\n')
    assert until(lambda: channel.interrupted == "stopped by the person who ran it")
    way_in.close()


def test_silence_counts_from_when_the_agent_listens(pipes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the lock and taking wheels in may last longer than the silence that a controller is allowed."""
    monkeypatch.setattr("ops.agent.channel.SILENCE", 0.3)
    channel, way_in, _ = pipes()
    channel._heard -= 100
    channel.listen()
    assert channel.interrupted == ""
    assert until(lambda: channel.interrupted == "the controller went away", within=2)
    way_in.close()


def test_a_reader_that_never_reads_does_not_hold_the_agent(pipes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.agent.channel.SILENCE", 0.2)
    channel, way_in, way_out = pipes()
    channel.emit("say", text="x" * 500_000)
    assert channel.interrupted == "the controller went away"
    channel.emit("say", text="nothing is written any more, and nothing waits")
    assert select.select([way_out], [], [], 0)[0]
    way_in.close()


def test_a_reader_that_is_gone_is_no_error() -> None:
    way_out, stdout = os.pipe()
    os.close(way_out)
    channel = Channel(io.BytesIO(), stdout)
    channel.emit("say", text="to nobody")
    assert channel.interrupted == "the controller went away"
    os.close(stdout)


def test_the_document_is_read_by_its_size(pipes: Any) -> None:
    channel, way_in, _ = pipes()
    way_in.write(b'9\n{"a": 1}\n{"cmd": "ping"}\n')
    assert channel.read_document() == {"a": 1}
    way_in.close()


def test_wheels_come_one_by_one_with_pings_between(pipes: Any) -> None:
    channel, way_in, way_out = pipes()
    way_in.write(b'{"cmd": "ping"}\n{"cmd": "blob", "sha256": "a", "size": 2}\nAA')
    way_in.write(b'{"cmd": "ping"}\n{"cmd": "blob", "sha256": "b", "size": 3}\nBBB')
    got: list[tuple[str, bytes]] = []
    channel.ask_blobs(["a", "b"], lambda name, size, source: got.append((name, source.read(size))))
    assert got == [("a", b"AA"), ("b", b"BBB")]
    assert json.loads(os.read(way_out, 100)) == {"event": "need", "blobs": ["a", "b"]}
    way_in.close()


def test_an_upload_that_never_comes_is_a_controller_gone(pipes: Any) -> None:
    channel, way_in, _ = pipes()
    way_in.close()
    with pytest.raises(EOFError):
        channel.ask_blobs(["a"], None)
