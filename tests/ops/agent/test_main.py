"""The agent as a host runs it: the real command, the real archive, the real protocol, a process of its own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.checks import http
from ops.resources import Command, Directory, File, Release, Symlink

Item = Callable[..., dict[str, Any]]
Doc = Callable[..., dict[str, Any]]


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """Where the documents of these tests put things."""
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"


@pytest.fixture
def plain(etc: Path, as_item: Item, as_document: Doc) -> Doc:
    """A directory, a file in it and a link to it."""

    def build(text: str = "port = 1\n", **more: Any) -> dict[str, Any]:
        folder = Directory(f"{etc}/app", mode=0o750)
        file = File(f"{etc}/app/app.conf", content=text, mode=0o640)
        return as_document(*map(as_item, (folder, file, Symlink(f"{etc}/current", f"{etc}/app"))), **more)

    return build


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_second_run_changes_nothing(machine: Any, plain: Doc, etc: Path) -> None:
    first = machine.run(plain())
    assert first.events[-1] | {"seconds": 0} == {
        "event": "end", "outcome": "done", "failed": [], "seconds": 0,
        "changed": [f"directory:{etc}/app", f"file:{etc}/app/app.conf", f"symlink:{etc}/current"],
    }  # fmt: skip
    assert set(first.results().values()) == {"changed"}
    assert (etc / "current" / "app.conf").read_text() == "port = 1\n"
    again = machine.run(plain())
    assert (again.events[-1]["outcome"], again.events[-1]["changed"]) == ("done", [])
    assert set(again.results().values()) == {"ok"}


def test_each_run_is_in_the_audit_log(machine: Any, plain: Doc) -> None:
    machine.run(plain())
    machine.run(plain())
    lines = [json.loads(line) for line in (machine.root / "logs" / "audit.jsonl").read_text().splitlines()]
    assert [sorted(line)[0] for line in lines] == ["begin", "changed", "begin", "changed"]
    assert lines[0] | {"time": ""} == {
        "time": "", "run": "20260101T000000-beef", "begin": "a test", "who": "ann@laptop", "release": ""
    }  # fmt: skip
    assert [line["end"] for line in lines[1::2]] == ["done", "done"]


def test_a_plan_writes_nothing_at_all(machine: Any, plain: Doc, etc: Path, snapshot: Any) -> None:
    before = snapshot(etc.parent)
    run = machine.run(plain(mode="plan"))
    assert set(run.results().values()) == {"change"}
    assert run.events[-1] == {"event": "end", "outcome": "done", "interrupted": ""}
    assert snapshot(etc.parent) == before


def test_a_plan_tells_drift_from_a_change_of_the_plan(machine: Any, plain: Doc, etc: Path, snapshot: Any) -> None:
    machine.run(plain())
    (etc / "app" / "app.conf").write_text("edited\n")
    (etc / "app").chmod(0o777)
    before = snapshot(etc.parent)
    file, folder, link = f"file:{etc}/app/app.conf", f"directory:{etc}/app", f"symlink:{etc}/current"
    assert machine.run(plain(mode="plan")).results() == {file: "drift", folder: "drift", link: "ok"}
    assert machine.run(plain("port = 2\n", mode="plan")).results() == {file: "change", folder: "drift", link: "ok"}
    assert snapshot(etc.parent) == before
    assert machine.run(plain()).results() == {file: "changed", folder: "changed", link: "ok"}


def test_nothing_is_left_of_the_agent_itself(machine: Any, plain: Doc) -> None:
    machine.run(plain())
    assert not list(machine.home.iterdir())
    assert not list(machine.temporary.iterdir())
    left = {str(path.relative_to(machine.root)) for path in machine.root.rglob("*") if path.is_file()}
    assert left == {"state/applied.json", "state/managed.json", "logs/audit.jsonl", "run/lock"}


def test_the_agents_memory_is_for_root_only(machine: Any, plain: Doc) -> None:
    machine.run(plain())
    assert (machine.root / "state").stat().st_mode & 0o777 == 0o700
    assert (machine.root / "state" / "applied.json").stat().st_mode & 0o777 == 0o600


def test_a_failing_check_brings_everything_back(machine: Any, plain: Doc, etc: Path, snapshot: Any) -> None:
    machine.run(plain())
    (etc / "app" / "app.conf").write_text("what the last healthy run left, and an edit\n")
    before = snapshot(etc)
    check = http(f"http://127.0.0.1:{closed_port()}/ready", unit="", within=0.1).json("base")
    run = machine.run(plain("port = 2\n", checks=[check]))
    end = run.events[-1]
    assert (end["outcome"], end["undone"], end["problems"]) == ("rolled-back", [f"file:{etc}/app/app.conf"], [])
    assert "/ready should answer 200 within 0.1 s: no answer" in end["check"]
    assert run.results()[f"check:{check['url']} should answer 200"] == "failed"
    assert snapshot(etc) == before
    assert machine.run(plain()).events[-1]["outcome"] == "done"


def test_what_was_left_is_what_the_last_healthy_run_left(machine: Any, plain: Doc, etc: Path) -> None:
    """What a host's own look at drift goes by: after a rollback as before it."""
    managed = machine.root / "state" / "managed.json"
    machine.run(plain())
    healthy = json.loads(managed.read_text())
    assert set(healthy["settled"]) == {f"{etc}/app", f"{etc}/app/app.conf", f"{etc}/current"}
    check = http(f"http://127.0.0.1:{closed_port()}/", unit="", within=0.1).json("base")
    assert machine.run(plain("port = 2\n", checks=[check])).events[-1]["outcome"] == "rolled-back"
    assert json.loads(managed.read_text()) == healthy
    machine.run(plain("port = 2\n"))
    assert json.loads(managed.read_text())["settled"] != healthy["settled"]


def test_a_first_run_that_fails_its_check_leaves_nothing(machine: Any, plain: Doc, etc: Path) -> None:
    check = http(f"http://127.0.0.1:{closed_port()}/", unit="", within=0.1).json("base")
    assert machine.run(plain(checks=[check])).events[-1]["outcome"] == "rolled-back"
    assert list(etc.iterdir()) == []


def test_killed_anywhere_every_file_is_whole_and_the_next_run_converges(
    machine: Any, etc: Path, as_item: Item, as_document: Doc
) -> None:
    def build(version: int) -> dict[str, Any]:
        files = [File(f"{etc}/{n}.conf", content=f"{version}\n" * 2000) for n in range(60)]
        return as_document(*map(as_item, files))

    machine.run(build(0))
    dice = random.Random(7)
    for version in range(1, 9):
        run = machine.start(build(version))
        time.sleep(dice.uniform(0.02, 0.25))
        machine.kill(run)
        held = [path.read_text() for path in etc.glob("[0-9]*.conf")]
        assert len(held) == 60
        assert all(len(set(text.split())) == 1 and text.count("\n") == 2000 for text in held)
    assert machine.run(build(99)).events[-1]["outcome"] == "done"
    assert {path.read_text() for path in etc.iterdir()} == {"99\n" * 2000}
    assert len(list(etc.iterdir())) == 60, "a draft was left behind"
    assert machine.run(build(99)).events[-1]["changed"] == []


@pytest.fixture
def slow(etc: Path, as_item: Item, as_document: Doc) -> dict[str, Any]:
    """A step that takes a while, and one after it."""
    command = Command("slow", ("sh", "-c", f"sleep 0.4; touch {etc}/slow"), creates=f"{etc}/slow")
    return as_document(as_item(command), as_item(File(f"{etc}/after", content="")))


def test_stopping_waits_for_the_step_at_hand(machine: Any, etc: Path, slow: dict[str, Any]) -> None:
    run = machine.start(slow)
    run.until("start", resource="command:slow")
    run.send(b'{"cmd": "stop"}\n')
    assert run.end() | {"seconds": 0} == {
        "event": "end", "outcome": "interrupted", "interrupted": "stopped by the person who ran it",
        "changed": ["command:slow"], "failed": [], "seconds": 0,
    }  # fmt: skip
    assert [path.name for path in etc.iterdir()] == ["slow"]


def test_a_controller_that_dies_ends_the_run_after_the_step_at_hand(
    machine: Any, etc: Path, slow: dict[str, Any]
) -> None:
    run = machine.start(slow)
    run.until("start", resource="command:slow")
    run.hang_up()
    assert run.close() == b""
    assert [path.name for path in etc.iterdir()] == ["slow"]
    last = json.loads((machine.root / "logs" / "audit.jsonl").read_text().splitlines()[-1])
    assert (last["end"], last["interrupted"]) == ("interrupted", "the controller went away")
    assert machine.run(slow).results() == {"command:slow": "ok", f"file:{etc}/after": "changed"}


def test_pings_are_no_interruption(machine: Any, plain: Doc) -> None:
    run = machine.start(plain())
    run.send(b'{"cmd": "ping"}\n' * 50)
    assert run.end()["outcome"] == "done"


@pytest.mark.parametrize(
    ("fact", "words"), [("os", "install Debian 12"), ("arch", "inventory"), ("python", "inventory")]
)
def test_a_machine_of_another_make_is_refused(machine: Any, plain: Doc, etc: Path, fact: str, words: str) -> None:
    told = plain()
    told["facts"] |= {fact: "other"}
    end = machine.run(told).events[-1]
    assert end["event"] == "fatal"
    assert told["facts"][fact] in end["message"]
    assert words in end["hint"]
    assert list(etc.iterdir()) == []


def test_a_locked_host_says_who_holds_it(machine: Any, plain: Doc, etc: Path) -> None:
    held = {"who": "bob@desk", "why": "deploy --role perf", "since": "2026-01-01T00:00:00Z", "pid": 7}
    with (machine.root / "run" / "lock").open("w") as lock:
        lock.write(json.dumps(held))
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        end = machine.run(plain()).events[-1]
        assert end["message"] == (
            "the host is locked by bob@desk since 2026-01-01T00:00:00Z (deploy --role perf, pid 7)"
        )
        assert machine.run(plain(mode="plan")).events[-1]["outcome"] == "done", "a plan waits for nobody"
    assert list(etc.iterdir()) == []
    assert machine.run(plain()).events[-1]["outcome"] == "done"


@pytest.fixture
def release(etc: Path, as_item: Item, as_document: Doc) -> dict[str, Any]:
    """A document that needs one wheel and an installer, neither of which the machine has."""
    names = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("wheel", "uv")}
    one = as_item(Release("web", root=str(etc)))
    one["want"] |= {
        "id": "1",
        "python": "3.11",
        "requirements": "",
        "wheels": [{"name": "w", "sha256": names["wheel"]}],
    }
    one["want"] |= {"installer": {"name": "uv", "sha256": names["uv"]}}
    return as_document(one, as_item(File(f"{etc}/after", content="")))


def blob(name: str, data: bytes, size: int | None = None) -> bytes:
    header = {"cmd": "blob", "sha256": name, "size": len(data) if size is None else size}
    return json.dumps(header).encode() + b"\n" + data


def test_a_wheel_that_is_not_what_its_name_says_is_refused(machine: Any, release: dict[str, Any], etc: Path) -> None:
    run = machine.start(release)
    wanted = run.until("need")["blobs"]
    assert len(wanted) == 2
    run.send(b'{"cmd": "ping"}\n' + blob(wanted[0], b"tampered"))
    end = run.end()
    assert end["event"] == "fatal"
    assert end["message"].startswith("an uploaded wheel is not what the lock says: sha256 ")
    last = json.loads((machine.root / "logs" / "audit.jsonl").read_text().splitlines()[-1])
    assert (last["end"], last["error"][:17]) == ("failed", "an uploaded wheel")
    assert list((machine.root / "state" / "blobs").iterdir()) == []
    assert list(etc.iterdir()) == []


def test_an_upload_that_breaks_off_leaves_nothing(machine: Any, release: dict[str, Any], etc: Path) -> None:
    run = machine.start(release)
    run.send(blob(run.until("need")["blobs"][0], b"half of", size=1000))
    run.hang_up()
    assert run.end() == {"event": "fatal", "message": "the controller went away", "hint": ""}
    assert list((machine.root / "state" / "blobs").iterdir()) == []
    assert list(etc.iterdir()) == []


def test_stopping_before_the_upload_is_an_interruption(machine: Any, release: dict[str, Any], etc: Path) -> None:
    run = machine.start(release)
    run.until("need")
    run.send(b'{"cmd": "stop"}\n')
    end = run.end()
    assert (end["outcome"], end["interrupted"]) == ("interrupted", "stopped by the person who ran it")
    assert list(etc.iterdir()) == []


def test_the_agent_is_small(machine: Any, plain: Doc) -> None:
    run = machine.start(plain())
    run.until("result")
    status = Path(f"/proc/{run.process.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    run.end()
    assert peak < 60 * 1024, f"{peak} kB"


def test_a_fault_of_the_agent_is_told_with_its_trace(machine: Any, plain: Doc) -> None:
    broken = plain()
    del broken["resources"][0]["want"]["mode"]
    end = machine.run(broken).events[-1]
    assert (end["event"], end["message"]) == ("fatal", "the agent failed")
    assert "KeyError: 'mode'" in end["trace"]
