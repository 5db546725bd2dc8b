"""`./inv bench`: the environment that the benchmark needs, then the benchmark in a process of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from ops import machine
from ops.errors import OpsError
from ops.paths import ROOT

NEEDS = {"git": "git", "ssh": "openssh-client"}


def bench(only: str = "") -> None:
    """Runs the measurements named in `only` (all of them if empty). Raises OpsError when a target is missed."""
    machine.require(NEEDS, why="the benchmark", say=_say, error=OpsError)
    _make_venv()
    done = subprocess.run([sys.executable, "-P", "-m", "benchmarks", *shlex.split(only)], cwd=ROOT, check=False)
    if done.returncode:
        hint = "the machine must be idle for the figures to count: see benchmarks/README.md"
        raise OpsError("a figure is missed, or the benchmark could not end; the reason is above", hint=hint)


def _make_venv() -> None:
    """The wrapper makes .venv-bench, with the tools that we are measured against, the way it made .venv."""
    env = {**os.environ, "OPS_VENV": "bench"}
    done = subprocess.run([ROOT / "inv", "--version"], env=env, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise OpsError("the benchmark's environment could not be made", hint="the reason is above")


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
