"""`./inv bench`: the environments that the benchmarks need, then each in a process of its own.

`runtime` and `monitor` measure services, `alerts` the monitor's rules and `quant` backtests and sweeps, on this
machine; every other name is measured on a lab host.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from ops import machine
from ops.errors import OpsError
from ops.paths import ROOT

HERE = {"runtime": "benchmarks.runtime", "monitor": "benchmarks.monitor"}
NEEDS = {"git": "git", "ssh": "openssh-client"}


def bench(only: str = "") -> None:
    """Runs the measurements named in `only` (all of them if empty). Raises OpsError when a target is missed."""
    names = shlex.split(only)
    hosts = [name for name in names if name not in (*HERE, "alerts", "quant")]
    done = [_on_a_host(hosts)] if hosts or not names else []
    done += [_on_this_machine(module) for name, module in HERE.items() if name in names or not names]
    if "alerts" in names or not names:
        done.append(_run(sys.executable, "benchmarks.alerts"))
    if "quant" in names or not names:
        done.append(_beside_peers())
    if not all(done):
        hint = "the machine must be idle for the figures to count: see benchmarks/README.md"
        raise OpsError("a figure is missed, or the benchmark could not end; the reason is above", hint=hint)


def _on_a_host(names: list[str]) -> bool:
    """Measured from .venv, beside the tools that .venv-bench holds."""
    machine.require(NEEDS, why="the benchmark", say=_say, error=OpsError)
    _make_venv("bench")
    return _run(sys.executable, "benchmarks", *names)


def _on_this_machine(module: str) -> bool:
    """Measured with what the services need, which the tests' environment has."""
    machine.require({"wrk": "wrk"}, why="the benchmark", say=_say, error=OpsError)
    _make_venv("test")
    return _run(str(ROOT / ".venv-test/bin/python"), module)


def _beside_peers() -> bool:
    """Measured with all that the tests have, beside the packages that .venv-peers holds."""
    _make_venv("test")
    _make_venv("peers")
    return _run(str(ROOT / ".venv-test/bin/python"), "benchmarks.quant")


def _run(python: str, module: str, *names: str) -> bool:
    return subprocess.run([python, "-P", "-m", module, *names], cwd=ROOT, check=False).returncode == 0


def _make_venv(name: str) -> None:
    """The wrapper makes .venv-NAME the way it made .venv."""
    env = {**os.environ, "OPS_VENV": name}
    done = subprocess.run([ROOT / "inv", "--version"], env=env, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise OpsError(f".venv-{name} could not be made", hint="the reason is above")


def _say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()
