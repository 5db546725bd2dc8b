"""A checkout of its own, an inventory of its own, and one lab host: what a test does with `./inv`, and what it sees.

Tests work on a copy of the sources, so that they may break them, and so that an edit made meanwhile changes no release
in the middle of a run. The copy shares the lab's keys and the wheel cache with the checkout it was made from.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops.lab import LabHost
from ops.lab.tasks import ssh_command
from ops.paths import ROOT

SHARED = (".cache", ".lab")
SAID: list[str] = []
"""Everything that `./inv` printed in this session, but for what `secrets.show` is there to print."""

INVENTORY = """
version: 1
hosts:
  {name}:
    lab: true
    roles: [base, webhook, perf]
    vars: {{timezone: {timezone}}}
    settings:
      base: {{journal_max: {journal_max}}}
      webhook:
        listen: 0.0.0.0
        port: {port}
        webhook_key: {{secret: webhook_key, generate: true}}
        ops_key: {{secret: ops_key, generate: true}}
      perf:
        listen: 0.0.0.0
        equity0: {equity0}
        token: {{secret: perf_token, generate: true}}
"""
USUAL = {"timezone": "America/Montreal", "journal_max": "500M", "port": "8000", "equity0": "10000"}


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def problems(self) -> str:
        """What did not go well, without the long list of what did."""
        try:
            told = self.json()
        except ValueError:
            return f"exit status {self.code}: {self.said}"
        bad = [item for item in told.pop("resources", ()) if item["result"] == "failed"]
        return f"exit status {self.code}: {json.dumps([told, *bad], indent=1)}{self.err}"

    def json(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded


def checkout(place: Path) -> Path:
    """A copy of the sources at `place`."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "benchmarks/")):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    for name in SHARED:
        (ROOT / name).mkdir(exist_ok=True)
        (place / name).symlink_to(ROOT / name)
    return place


@dataclass
class Desk:
    """Where one person sits: a checkout, an inventory file, and the host that they look after."""

    root: Path
    host: LabHost
    inventory: Path
    variables: dict[str, str] = field(default_factory=dict)
    text: str = INVENTORY
    first: dict[str, Any] = field(default_factory=dict)
    """What the host's first deploy answered."""
    patience: float = 200
    """Seconds that `./inv` may take."""
    urls: dict[str, str] = field(default_factory=dict)
    """As `lab.info` told them for the inventory as it is."""

    def describe(self, **variables: str) -> None:
        """Writes the inventory, with some values other than they were."""
        self.variables |= variables
        filled = textwrap.dedent(self.text).format(name=self.host.name, **(USUAL | self.variables))
        self.inventory.write_text(filled.lstrip())
        self.urls.clear()

    def usual(self) -> None:
        """Takes back what `describe` was told."""
        self.variables.clear()
        self.describe()

    @property
    def environment(self) -> dict[str, str]:
        # Columns: a table that is cut off would hide words from the tests
        own = {"PYTHONPATH": str(self.root), "TRADING_OPS_INVENTORY": str(self.inventory), "COLUMNS": "200"}
        return {**os.environ, **own}

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """`./inv ...`, started in a process group of its own."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        settings = {**pipes, "start_new_session": True, "env": self.environment, "cwd": self.root, **options}
        return subprocess.Popen([sys.executable, "-P", "-m", "ops", *arguments], **settings)

    def inv(self, *arguments: str, quiet: bool = False, env: Mapping[str, str] | None = None) -> Done:
        """`./inv ...` to its end."""
        child = self.start(*arguments, env={**self.environment, **(env or {})})
        out, err = child.communicate(timeout=self.patience)
        if not quiet:
            SAID.append(out + err)
        assert "Traceback" not in out + err
        return Done(child.returncode, out, err)

    def deploy(self, *arguments: str) -> dict[str, Any]:
        """A deploy that must succeed, as its --json object."""
        done = self.inv("deploy", "--host", self.host.name, "--json", *arguments)
        assert done.code == 0, done.problems
        return done.json()

    def plan(self) -> Done:
        return self.inv("plan", "--host", self.host.name, "--json")

    def settles(self) -> dict[str, Any]:
        """A deploy that succeeds, and a second one that finds nothing left to do. Returns the first."""
        first, second = self.deploy(), self.deploy()
        assert (second["changed"], second["failed"]) == (0, 0), changed(second)
        return first

    def secret(self, name: str) -> str:
        done = self.inv("secrets.show", name, "--host", self.host.name, quiet=True)
        assert done.code == 0, done.err
        return done.out.removesuffix("\n")

    def on(self, command: str, *, check: bool = True, stdin: str | None = None) -> str:
        """What a shell command on the host prints. One shared connection: a command costs a few milliseconds."""
        shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={self.control}", "-o", "ControlPersist=600"]
        line, *rest = ssh_command(self.host, command)
        done = subprocess.run(
            [line, *shared, *rest], capture_output=True, text=True, check=False, timeout=self.patience, input=stdin
        )
        assert done.returncode == 0 or not check, f"{command}: {done.stderr or done.stdout}"
        return done.stdout.strip()

    @property
    def control(self) -> Path:
        """A socket's path may have 104 characters only: not below pytest's own directories."""
        return Path(f"/tmp/{self.host.name}.ssh")

    def hang_up(self) -> None:
        line, *rest = ssh_command(self.host, "true")
        subprocess.run(
            [line, "-O", "exit", "-o", f"ControlPath={self.control}", *rest], capture_output=True, check=False
        )

    def url(self, service: str = "webhook") -> str:
        if not self.urls:  # asked once: tests that wait for something ask many times a second
            self.urls |= self.inv("lab.info", "--name", self.host.name, "--json").json()["urls"]
        return self.urls[service]


def changed(result: Mapping[str, Any]) -> set[str]:
    """The resources that a deploy changed, or a plan would."""
    return {item["resource"] for item in result["resources"] if item["result"] in ("changed", "change", "drift")}


def results(result: Mapping[str, Any], word: str) -> set[str]:
    return {item["resource"] for item in result["resources"] if item["result"] == word}


def wait_until(condition: Callable[[], Any], seconds: float = 20.0, what: str = "it did not happen") -> None:
    """Polls until `condition` is true; fails the test after `seconds`."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            pytest.fail(f"{what} within {seconds:g} s")
        time.sleep(0.02)
