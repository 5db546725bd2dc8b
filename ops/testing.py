"""`./inv test`: what the tests need, then lint, types and tests, each with its time."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator

from ops import machine
from ops.errors import OpsError
from ops.paths import ROOT

PYTHON = ROOT / ".venv-test/bin/python"
NEEDS = {
    "/usr/bin/chromium": "chromium",
    "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
    "cmp": "diffutils",
    "gcc": "gcc",
    "/usr/include/time.h": "libc6-dev",
    "git": "git",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "ssh": "openssh-client",
    "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container",
}


def test(only: str = "") -> None:
    """Raises OpsError naming the steps that failed."""
    machine.require(NEEDS, why="the test suite", say=_say, error=OpsError)
    _make_venv()
    failed = [name for name, command in _steps(only) if not _passes(name, command)]
    if failed:
        raise OpsError(f"failed: {', '.join(failed)}", hint="each one's output is above")


def _make_venv() -> None:
    """The wrapper makes .venv-test the way it made .venv: from its lock, once."""
    done = subprocess.run(
        [ROOT / "inv", "--version"], env={**os.environ, "OPS_VENV": "test"}, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise OpsError("the tests' environment could not be made", hint="the reason is above")


def _steps(only: str) -> Iterator[tuple[str, list[str]]]:
    if not only:
        yield "ruff check", ["ruff", "check", "."]
        yield "ruff format", ["ruff", "format", "--check", "."]
        yield "mypy", ["mypy"]
    yield "pytest", ["pytest", *shlex.split(only)]


def _passes(name: str, command: list[str]) -> bool:
    _say(f"{name} …")
    began = time.monotonic()
    done = subprocess.run([PYTHON, "-m", *command], cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    word = "passed" if done.returncode == 0 else f"FAILED (exit status {done.returncode})"
    _say(f"{name}: {word} in {time.monotonic() - began:.1f} s")
    return done.returncode == 0


def _say(text: str) -> None:
    sys.stderr.write(f"test: {text}\n")
    sys.stderr.flush()
