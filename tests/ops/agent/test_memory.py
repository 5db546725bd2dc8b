"""What the agent remembers: restart debts, how to undo a run, who holds the host, what was run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ops.agent import files, memory
from ops.agent.host import HostError
from ops.agent.memory import STALE, Lock, Memory, audit
from ops.paths import ROOT

HOLD = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ops.agent import memory
memory.RUN = Path(sys.argv[2])
lock = memory.Lock("bob@desk", "deploy --role perf")
lock.take(0, print)
print("held", flush=True)
sys.stdin.read()
"""
WRITE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ops.agent import memory
memory.LOGS = Path(sys.argv[2])
for n in range(100):
    memory.audit({"run": sys.argv[3], "n": n, "text": "x" * 3000})
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def kept(root: Path) -> Memory:
    made = Memory(root)
    made.prepare()
    return made


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "RUN", tmp_path / "run")
    return tmp_path / "run"


def test_a_restart_debt_is_on_disk_at_once_and_says_what_still_runs(kept: Memory, root: Path) -> None:
    kept.set_inputs("perf.service", "old")
    kept.owe_restart(["perf.service", "never-started.service"])
    assert json.loads((root / "units.json").read_text()) == {"perf.service": "stale:old"}
    assert Memory(root).inputs("perf.service") == STALE + "old", "a run that dies here leaves the debt to the next"
    assert Memory(root).inputs("never-started.service") == ""


def test_a_debt_is_owed_once_and_paid_by_a_start(kept: Memory, root: Path) -> None:
    kept.set_inputs("perf.service", "old")
    kept.owe_restart(["perf.service"])
    kept.owe_restart(["perf.service"])
    assert kept.inputs("perf.service") == "stale:old"
    kept.set_inputs("perf.service", "new")
    assert Memory(root).inputs("perf.service") == "new"


def test_after_a_rollback_no_restart_is_owed(kept: Memory, root: Path) -> None:
    kept.set_inputs("a.service", "1")
    kept.set_inputs("b.service", "2")
    kept.owe_restart(["a.service"])
    kept.forgive_restarts()
    assert (Memory(root).inputs("a.service"), Memory(root).inputs("b.service")) == ("1", "2")


def test_the_oldest_note_counts_even_after_a_crash(kept: Memory, root: Path) -> None:
    kept.keep("file:/a", "file", {"path": "/a", "type": "file", "data": "healthy"})
    kept.keep("file:/a", "file", {"path": "/a", "type": "file", "data": "half-way"})
    after_crash = Memory(root)
    after_crash.keep("file:/a", "file", {"path": "/a", "type": "file", "data": "later"})
    after_crash.keep("file:/b", "file", {"path": "/b", "type": "absent"})
    after_crash.keep("apt-packages:git", "apt-packages", None)
    notes = Memory(root).undo_notes()
    assert [(note["key"], note["kept"].get("data")) for note in notes] == [("file:/a", "healthy"), ("file:/b", None)]


def test_notes_stay_in_order_past_a_hundred(kept: Memory) -> None:
    for number in range(120):
        kept.keep(f"file:/{number}", "file", {"type": "absent"})
    assert [note["key"] for note in kept.undo_notes()] == [f"file:/{number}" for number in range(120)]


def test_settling_forgets_all_notes_in_one_step(kept: Memory, root: Path) -> None:
    kept.keep("file:/a", "file", {"type": "absent"})
    kept.set_applied("file:/a", "digest")
    kept.settle()
    assert Memory(root).undo_notes() == []
    assert Memory(root).applied("file:/a") == "digest"
    assert sorted(path.name for path in root.iterdir()) == ["applied.json", "undo"]
    kept.keep("file:/a", "file", {"type": "file"})
    assert len(kept.undo_notes()) == 1, "what comes after counts from here"


def test_a_settling_that_died_half_way_is_over(kept: Memory, root: Path) -> None:
    """Killed after the rename: the notes were of a run that was healthy, so none of them may count."""
    kept.keep("file:/a", "file", {"type": "absent"})
    kept.undo_path.rename(root / "undo.settled")
    again = Memory(root)
    again.prepare()
    assert again.undo_notes() == []
    again.keep("file:/b", "file", {"type": "absent"})
    again.settle()
    assert sorted(path.name for path in root.iterdir()) == ["undo"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_memory_that_cannot_be_read_is_no_memory(root: Path, content: bytes) -> None:
    root.mkdir()
    for name in ("units.json", "applied.json"):
        (root / name).write_bytes(content)
    found = Memory(root)
    assert (found.inputs("perf.service"), found.applied("file:/a")) == ("", "")
    found.set_inputs("perf.service", "new")
    assert Memory(root).inputs("perf.service") == "new"


def test_looking_writes_nothing(root: Path) -> None:
    found = Memory(root)
    found.inputs("perf.service")
    assert found.undo_notes() == []
    found.set_applied("file:/a", "digest")
    assert not root.exists()


def test_what_was_applied_is_written_once(kept: Memory, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        kept.set_applied(f"file:/{number}", "digest")
    assert not (root / "applied.json").exists()
    kept.save()
    monkeypatch.setattr(files, "write", None)
    kept.set_applied("file:/1", "digest")
    kept.save()
    assert Memory(root).applied("file:/49") == "digest"


def holder(run: Path) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(ROOT), str(run)], **pipes)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def let_go(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_lock_names_its_holder_and_gives_up_in_time(run: Path) -> None:
    process, said = holder(run), list[str]()
    lock, start = Lock("ann@laptop", "deploy"), time.monotonic()
    with pytest.raises(HostError) as caught:
        lock.take(0.25, said.append)
    lock._file.close()
    assert 0.25 <= time.monotonic() - start < 2
    held = f"bob@desk since {json.loads((run / 'lock').read_text())['since']} (deploy --role perf, pid {process.pid})"
    assert str(caught.value) == f"the host is locked by {held}"
    assert caught.value.hint == "wait for that run to end, then try again"
    assert said == [f"waiting for {held}"], "told once, not at each try"
    let_go(process)


def test_a_lock_is_free_when_its_holder_is_killed(run: Path) -> None:
    process = holder(run)
    threading.Timer(0.15, process.send_signal, (signal.SIGKILL,)).start()
    lock = Lock("ann@laptop", "deploy")
    lock.take(5, lambda _: None)
    assert lock.holder().startswith("ann@laptop since ")
    assert json.loads((run / "lock").read_text())["pid"] == os.getpid()
    let_go(process)
    lock._file.close()


def test_a_lock_with_nothing_readable_in_it_still_holds(run: Path) -> None:
    process = holder(run)
    (run / "lock").write_text("{")
    lock = Lock("ann@laptop", "deploy")
    with pytest.raises(HostError, match="the host is locked by another run"):
        lock.take(0, lambda _: None)
    lock._file.close()
    let_go(process)


def test_a_program_that_the_holder_started_does_not_keep_the_lock(run: Path) -> None:
    lock = Lock("ann@laptop", "deploy")
    lock.take(0, lambda _: None)
    child = subprocess.Popen(["sleep", "20"], close_fds=False)
    lock._file.close()
    other = Lock("bob@desk", "deploy")
    other.take(0, lambda _: None)
    other._file.close()
    child.kill()
    child.wait()


def test_audit_lines_of_several_writers_never_mix(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(ROOT), str(tmp_path), str(n)]) for n in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    for name in "012":
        assert [line["n"] for line in lines if line["run"] == name] == list(range(100))


def test_an_audit_line_has_its_time_and_stays_among_admins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LOGS", tmp_path / "logs")
    audit({"run": "1", "begin": "two\nlines"})
    (line,) = (tmp_path / "logs" / "audit.jsonl").read_text().splitlines()
    assert json.loads(line) == {"time": json.loads(line)["time"], "run": "1", "begin": "two\nlines"}
    assert json.loads(line)["time"].endswith("Z")
    assert (tmp_path / "logs" / "audit.jsonl").stat().st_mode & 0o007 == 0
