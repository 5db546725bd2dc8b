"""What a person and a script are told of a run: table, diffs, failures, JSON, exit codes; never a secret."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from ops.deploy import HostResult, _Listener, as_json, exit_code
from ops.paths import ROOT
from ops.report import Report, show

SECRET = "hunter2-hunter2"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def event(resource: str, result: str, *changes: dict[str, str], **more: Any) -> dict[str, Any]:
    said = {"event": "result", "role": "web", "resource": resource, "result": result, "ms": 1.5}
    return {**said, "changes": list(changes), **more}


def told(*events: dict[str, Any], outcome: str = "done", **more: Any) -> tuple[HostResult, str]:
    """The result of a host that said `events`, and what went to stderr meanwhile."""
    err, result = io.StringIO(), HostResult("alpha", "0.1.0-abc", 1.25, **more)
    report = Report(err=err)
    report.redact({"webhook_key": SECRET})
    listen = _Listener(report, result, len(events))
    for one in events:
        listen(one)
    result.outcome = outcome
    return result, err.getvalue()


def shown(*results: HostResult, mode: str = "apply", diffs: bool = False) -> str:
    out = io.StringIO()
    show(results, mode=mode, diffs=diffs, out=out)
    return out.getvalue()


CHANGED = event("file:/etc/x", "changed", {"what": "content", "diff": "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new"})
MODE = event(
    "directory:/srv", "changed", {"what": "mode", "old": "0777", "new": "0755"}, {"what": "owner", "new": "root"}
)
OK = event("file:/etc/y", "ok")


def test_the_table_has_a_row_for_what_changed_and_a_count_for_the_rest() -> None:
    text = shown(told(CHANGED, OK, MODE, OK, urls={"webhook": "http://10.0.0.1:8000"})[0])
    rows = [line.split() for line in text.splitlines() if line.split()[:1] == ["alpha"]]
    assert rows[0] == ["alpha", "web", "file:/etc/x", "changed", "2"]
    assert rows[1] == ["alpha", "web", "directory:/srv", "changed", "2"]
    assert rows[2] == ["alpha", "web", "2", "as", "planned", "ok", "3"]
    assert "alpha: 1.25 s, 2 changed of 4, release 0.1.0-abc" in text
    assert "http://10.0.0.1:8000" in text
    assert "next: ./inv alert.test --host alpha" in text
    assert "+new" not in text


def test_diffs_come_when_asked_for() -> None:
    text = shown(told(CHANGED, MODE)[0], diffs=True)
    assert "    -old\n    +new\n" in text
    assert "mode: 0777 -> 0755" in text
    assert "owner: - -> root" in text


def test_a_plan_says_what_would_change_and_the_command_that_does_it() -> None:
    text = shown(told(event("file:/etc/x", "drift"), OK)[0], mode="plan")
    assert "1 would change of 2" in text
    assert "next: ./inv deploy --host alpha" in text


def test_a_failure_says_what_the_host_said_and_what_to_do() -> None:
    failed = event("file:/etc/x", "failed", why="no space left\n(4 kB free)", hint="free some space")
    text = shown(told(CHANGED, failed, event("file:/etc/y", "skipped", why="x failed"), outcome="failed")[0])
    assert "alpha: web: file:/etc/x failed\n    no space left\n    (4 kB free)\n    -> free some space\n" in text
    assert "alpha: file:/etc/y skipped: x failed" in text
    assert "failed; 1 changed before that" in text


def test_what_one_failure_held_up_is_one_line_and_the_failure_comes_last() -> None:
    failed = event("file:/etc/x", "failed", why="no space left", hint="free some space")
    held_up = [event(f"file:/etc/{name}", "skipped", why="x failed") for name in "abc"]
    text = shown(told(failed, *held_up, outcome="failed")[0])
    assert "alpha: 3 resources skipped: x failed\n" in text
    assert text.count("skipped: ") == 1
    assert text.index("3 resources") < text.index("-> free some space")


def test_a_rollback_says_so_and_what_it_could_not_undo() -> None:
    result, _ = told(CHANGED, outcome="rolled-back")
    result.end = {"undone": ["file:/etc/x"], "problems": []}
    assert "NOT deployed: 1 changes were undone" in shown(result)
    result.end = {"undone": ["file:/etc/x"], "problems": ["file:/etc/x: it is gone"]}
    assert "alpha: could not be undone: file:/etc/x: it is gone" in shown(result)
    assert "NOT everything could be undone" in shown(result)


def test_an_interruption_says_what_finishes_it() -> None:
    result, _ = told(CHANGED, outcome="interrupted")
    result.end = {"interrupted": "stopped by the person who ran it"}
    text = shown(result)
    assert "interrupted (stopped by the person who ran it): 1 changed" in text
    assert "next: ./inv deploy --host alpha" in text


def test_words_of_a_host_are_not_taken_for_markup() -> None:
    text = shown(told(event("file:/etc/[bold]x", "failed", why="[red]no[/red]", hint="[/]"), outcome="failed")[0])
    assert "file:/etc/[bold]x" in text
    assert "[red]no[/red]" in text


def test_no_secret_reaches_the_table_the_diff_the_json_or_the_progress() -> None:
    leak = event(
        f"file:/{SECRET}", "failed", {"what": "content", "diff": f"+KEY={SECRET}"}, why=f"bad {SECRET}", hint=SECRET
    )
    result, progress = told(leak, {"event": "say", "text": SECRET}, outcome="failed")
    for text in (shown(result, diffs=True), as_json([result]), progress):
        assert SECRET not in text
        assert "secret:webhook_key" in text


def test_the_secrets_of_two_hosts_under_one_name_are_both_hidden() -> None:
    report = Report(err=io.StringIO())
    for value in (SECRET, "another-secret-value", SECRET):
        report.redact({"webhook_key": value})
    text = report.clean(f"{SECRET} and another-secret-value")
    assert SECRET not in text
    assert "another-secret-value" not in text


def test_the_json_of_a_done_run_is_the_contract() -> None:
    result, _ = told(CHANGED, MODE, OK)
    assert json.loads(as_json([result])) == {
        "host": "alpha", "release": "0.1.0-abc", "seconds": 1.25, "changed": 2, "failed": 0,
        "resources": [
            {"role": "web", "resource": "file:/etc/x", "result": "changed", "ms": 1.5,
             "diff": "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new"},
            {"role": "web", "resource": "directory:/srv", "result": "changed", "ms": 1.5,
             "diff": "mode: 0777 -> 0755\nowner: - -> root"},
            {"role": "web", "resource": "file:/etc/y", "result": "ok", "ms": 1.5},
        ],
    }  # fmt: skip


def test_the_json_of_a_run_that_went_wrong_says_how() -> None:
    result, _ = told(event("unit:x", "failed", why="exit 1", hint="look"), outcome="rolled-back")
    result.end = {"check": "no answer", "undone": ["unit:x"], "problems": []}
    found = json.loads(as_json([result]))
    assert (found["outcome"], found["failed"], found["check"], found["undone"]) == (
        "rolled-back", 1, "no answer", ["unit:x"]
    )  # fmt: skip
    assert found["resources"] == [
        {"role": "web", "resource": "unit:x", "result": "failed", "ms": 1.5, "why": "exit 1", "hint": "look"}
    ]
    assert "problems" not in found


def test_a_host_that_was_not_reached_counts_as_failed() -> None:
    result = HostResult("alpha", error="cannot connect")
    assert json.loads(as_json([result])) == {
        "host": "alpha", "release": "", "seconds": 0.0, "resources": [], "changed": 0, "failed": 1,
        "outcome": "failed", "error": "cannot connect",
    }  # fmt: skip
    assert "error: cannot connect" in shown(result)


def test_several_hosts_are_a_list() -> None:
    found = json.loads(as_json([HostResult("alpha"), HostResult("beta")]))
    assert [host["host"] for host in found["hosts"]] == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("outcomes", "mode", "code"),
    [
        (["done"], "apply", 0),
        (["done"], "plan", 2),
        (["failed"], "apply", 1),
        (["rolled-back"], "apply", 1),
        (["interrupted"], "apply", 130),
        (["done", "interrupted", "failed"], "apply", 1),
        (["failed"], "plan", 1),
    ],
)
def test_exit_codes(outcomes: list[str], mode: str, code: int) -> None:
    results = [told(CHANGED if mode == "apply" else event("x", "drift"), outcome=outcome)[0] for outcome in outcomes]
    assert exit_code(results, mode) == code


def test_a_plan_without_changes_exits_0_and_an_error_1() -> None:
    assert exit_code([told(OK)[0]], "plan") == 0
    assert exit_code([told(OK, error="cannot connect")[0]], "plan") == 1


def test_without_a_terminal_what_was_done_is_said_line_by_line() -> None:
    _, progress = told(CHANGED, OK, {"event": "say", "text": "waiting for bob"})
    assert progress == "alpha: changed web file:/etc/x (2 ms)\nalpha: waiting for bob\n"


def test_on_a_terminal_one_line_moves() -> None:
    err = Terminal()
    report, result = Report(err=err), HostResult("alpha")
    listen = _Listener(report, result, 2)
    listen({"event": "start", "resource": "file:/etc/x"})
    listen({"event": "upload", "name": "w.whl", "size": 2_500_000, "number": 1, "of": 4})
    listen({"event": "progress", "text": "master-1: CC driver-gekko.o"})
    listen(CHANGED)
    report.done("alpha")
    assert "alpha 1/2 file:/etc/x" in err.getvalue()
    assert "uploading w.whl (2.5 MB, 1/4)" in err.getvalue()
    assert "alpha 1/2 master-1: CC driver-gekko.o" in err.getvalue()
    assert "\n" not in err.getvalue()


def test_hosts_may_report_at_the_same_time() -> None:
    report, problems = Report(err=Terminal()), list[Exception]()

    def work(name: str) -> None:
        try:
            for number in range(300):
                report.step(f"{name}{number % 7}", "x", number, 300)
                report.done(f"{name}{number % 7}")
        except RuntimeError as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.mark.parametrize(("presses", "code"), [(1, 0), (2, 130)], ids=["once", "twice"])
def test_ctrl_c_waits_for_the_step_at_hand_and_a_second_one_leaves_at_once(presses: int, code: int) -> None:
    script = """
import io, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from ops.deploy import _wait
from ops.report import Report
stop = threading.Event()
def host():
    time.sleep(0.3)  # by then the other thread waits
    print("ready", flush=True)
    stop.wait()
    time.sleep(0.3)
    print("stopping", flush=True)
    time.sleep(float(sys.argv[1]))
with ThreadPoolExecutor() as pool:
    _wait([pool.submit(host)], Report(err=io.StringIO()), stop)
"""
    pipes = {"stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    start = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", script, "0.2" if presses == 1 else "30"], **pipes) as process:
        assert process.stdout
        for word in ("ready", "stopping")[:presses]:
            assert process.stdout.readline() == f"{word}\n"
            process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
    assert process.returncode == code
    assert time.monotonic() - start < 15
