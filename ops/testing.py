"""`./inv test`: what the tests need, then lint, types and tests, each with its time."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

from ops import failed_tests, machine
from ops.errors import OpsError
from ops.failed_tests import Failed
from ops.paths import ROOT

PYTHON = ROOT / ".venv-test/bin/python"
VENVS = ("test", "peers")
"""The second holds what quant's numbers are held against, with versions of its own choosing."""
NEEDS = {
    "/usr/bin/chromium": "chromium",
    "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
    "cmp": "diffutils",
    "gcc": "gcc",
    "/usr/include/time.h": "libc6-dev",
    "git": "git",
    "gpg": "gnupg",
    "mke2fs": "e2fsprogs",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "/usr/lib/python3/dist-packages/gi": "python3-gi",
    "/usr/share/doc/gir1.2-umockdev-1.0": "gir1.2-umockdev-1.0",  # what it brings stands in a folder by architecture
    "/usr/sbin/sshd": "openssh-server",
    "ssh": "openssh-client",
    "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container",
    "umockdev-wrapper": "umockdev",
}


PYTEST = ("pytest", "--durations=10", "--durations-min=5", "-o", "junit_family=xunit1")
SECOND_TRIES = 3
"""With more failures than these, nothing is tried again."""
LOGBOOK = "tests/journal"
Step = tuple[str, list[str]]


def test(only: str = "") -> None:
    """Raises OpsError naming the steps that failed."""
    machine.require(NEEDS, why="the test suite", say=_say, error=OpsError)
    with ThreadPoolExecutor(len(VENVS)) as both:
        list(both.map(_make_venv, VENVS))
    failed = _in_turn([("pytest", ["pytest", *shlex.split(only)])]) if only else _everything()
    if failed:
        raise OpsError(f"failed: {', '.join(failed)}", hint="each one's output is above")


def _everything() -> list[str]:
    """Returns which steps failed. What failed, and why, is the last thing that is printed."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder)
        steps = _both_rows(reports)
        found = {name: failed_tests.failed(reports / f"{name}.xml") for name in steps}
        tests = [test for name in steps for test in found[name]]
        is_settled = all(found.values()) and len(tests) <= SECOND_TRIES and _pass_alone(tests)
        _say_last(failed_tests.told(tests))
    if steps and is_settled:
        _say(f"PASSED ONLY WHEN RUN AGAIN ALONE, look at them: {', '.join(test.id for test in tests)}")
        return []
    return steps


def _pass_alone(tests: list[Failed]) -> bool:
    """Two rows on a small machine may starve a test that waits for a service; one that is wrong fails again."""
    return not tests or _passes("pytest of those that failed", [*PYTEST, *(test.id for test in tests)], None)


def _both_rows(reports: Path) -> list[str]:
    """Returns which steps failed.

    Two rows of steps run side by side, since tests on real hosts, and those of the log book, mostly wait for a disk or
    another process. What the second row says is shown at the end.
    """
    hosts = [_pytest("pytest on real hosts", reports, "-m", "lab"), _pytest("pytest of the log book", reports, LOGBOOK)]
    rest = _pytest("pytest", reports, "-m", "not lab", f"--ignore={LOGBOOK}")
    failed = _in_turn([("ruff check", ["ruff", "check", "."]), ("ruff format", ["ruff", "format", "--check", "."])])
    with tempfile.TemporaryFile("w+") as said, ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(_in_turn, [("mypy", ["mypy"]), rest], said)
        failed += _in_turn(hosts)
        _say("waiting for the other tests …")
        failed += waiting.result()
        said.seek(0)
        shutil.copyfileobj(said, sys.stdout)
        sys.stdout.flush()
    return failed


def _pytest(name: str, reports: Path, *arguments: str) -> Step:
    return name, [*PYTEST, f"--junitxml={reports / name}.xml", *arguments]


def _say_last(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _make_venv(name: str) -> None:
    """The wrapper makes .venv-NAME the way it made .venv: from its lock, once."""
    env = {**os.environ, "OPS_VENV": name}
    done = subprocess.run([ROOT / "inv", "--version"], env=env, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise OpsError(f".venv-{name}, which the tests need, could not be made", hint="the reason is above")


def _in_turn(steps: list[Step], out: TextIO | None = None) -> list[str]:
    """Run each, whatever became of the one before; returns the names of those that failed."""
    return [name for name, command in steps if not _passes(name, command, out)]


def _passes(name: str, command: list[str], out: TextIO | None) -> bool:
    _say(f"{name} …")
    began = time.monotonic()
    done = subprocess.run(
        [PYTHON, "-m", *command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
    )
    word = "passed" if done.returncode == 0 else f"FAILED (exit status {done.returncode})"
    _say(f"{name}: {word} in {time.monotonic() - began:.1f} s")
    return done.returncode == 0


def _say(text: str) -> None:
    sys.stderr.write(f"test: {text}\n")
    sys.stderr.flush()
