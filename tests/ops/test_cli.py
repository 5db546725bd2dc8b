"""The command line as a person or a script meets it: exit codes, messages, the table of contents."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit

from ops import cli
from ops.errors import LabError, UsageError

Run = tuple[int, str, str]


@cli.task(help={"name": "who"})
def greet(_: Context, name: str = "you") -> None:
    """Say hello"""
    sys.stdout.write(f"hello {name}\n")


@cli.task
def wrong_use(_: Context) -> None:
    """Be called wrongly"""
    raise UsageError("no such thing as 'x'", hint="try y")


@cli.task
def failing(_: Context) -> None:
    """Fail as expected"""
    raise LabError("it did not boot")


@cli.task
def changes(_: Context) -> None:
    """Exit with a code of its own"""
    raise Exit(code=2)


@cli.task
def interrupted(_: Context) -> None:
    """Be stopped by Ctrl-C"""
    raise KeyboardInterrupt


@cli.task
def faulty(_: Context) -> None:
    """Have a bug"""
    raise ZeroDivisionError("division by zero")


@pytest.fixture
def inv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> object:
    group = Collection("group", failing, changes)
    group.__doc__ = "Group: things that end"
    root = Collection(greet, wrong_use, interrupted, faulty, group)
    root.__doc__ = "Everything"

    def load(program: cli.Inv) -> None:
        program.collection = root

    monkeypatch.setattr(cli.Inv, "load_collection", load)
    monkeypatch.setattr(cli, "CACHE", tmp_path)
    monkeypatch.setattr(cli, "LAST_ERROR", tmp_path / "last-error.txt")

    def run(*arguments: str) -> Run:
        code = cli.main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def call(inv: object, *arguments: str) -> Run:
    assert callable(inv)
    code, out, err = inv(*arguments)
    return code, out, err


def test_a_task_that_works_exits_0(inv: object) -> None:
    assert call(inv, "greet", "--name", "Ada") == (0, "hello Ada\n", "")


@pytest.mark.parametrize(
    ("task", "code", "message"),
    [
        ("group.failing", 1, "error: it did not boot\n"),
        ("wrong-use", 2, "error: no such thing as 'x'\n  -> try y\n"),
        ("group.changes", 2, ""),
        ("interrupted", 130, "interrupted\n"),
    ],
)
def test_expected_endings_have_their_code_and_no_traceback(inv: object, task: str, code: int, message: str) -> None:
    assert call(inv, task) == (code, "", message)


@pytest.mark.parametrize("arguments", [["nosuch"], ["greet", "--nosuch"], ["--help", "nosuch"], ["greet", "--name"]])
def test_wrong_usage_exits_2_and_points_to_the_list(inv: object, arguments: list[str]) -> None:
    code, out, err = call(inv, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "./inv --list" in err


def test_a_fault_of_the_tool_is_short_and_keeps_its_traceback_in_a_private_file(inv: object, tmp_path: Path) -> None:
    code, _, err = call(inv, "faulty")
    assert code == 1
    assert err.splitlines()[0] == "error: ZeroDivisionError: division by zero"
    kept = tmp_path / "last-error.txt"
    assert str(kept) in err
    assert "Traceback" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("arguments", [[], ["--list"]])
def test_the_list_reads_like_a_table_of_contents(inv: object, arguments: list[str]) -> None:
    code, out, _ = call(inv, *arguments)
    assert code == 0
    assert "Everything\n  greet          Say hello\n" in out
    assert "\nGroup: things that end\n  group.failing  Fail as expected\n" in out


def test_plain_invoke_gets_the_message_and_the_code_as_well() -> None:
    with pytest.raises(Exit) as ended:
        wrong_use(Context())
    assert (ended.value.code, ended.value.message) == (2, "error: no such thing as 'x'\n  -> try y")


def test_every_task_of_the_project_has_help_and_listing_them_takes_less_than_400_ms() -> None:
    command = [sys.executable, "-P", "-m", "ops", "--list"]
    times = []
    for _ in range(5):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": ""})
        times.append(time.perf_counter() - began)
    assert statistics.median(times) < 0.4
    tasks = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert tasks
    assert [line for line in tasks if len(line.split()) < 2] == []
