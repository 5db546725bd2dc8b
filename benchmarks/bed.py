"""What is measured on: a copy of this checkout, a lab host of its own, and a look at the host that leaves no trace."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ops.paths import ROOT
from ops.wire import Target, connect

HERE = Path(__file__).parent
HOST = "bench"


@dataclass(frozen=True)
class Run:
    """A program that ended well: seconds from its start to its end, and what it said."""

    seconds: float
    out: str
    err: str


class Checkout:
    """A copy of the working tree that may be changed, with a `.venv` of its own and none of its caches."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._env = {**os.environ, "TRADING_OPS_AGE_KEY_FILE": str(root / "age.key")}
        self._env.pop("TRADING_OPS_INVENTORY", None)
        self._copy_tree()
        self._copy_venv()

    def _copy_tree(self) -> None:
        listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        shutil.copytree(HERE / "job/templates", self.root / "templates", dirs_exist_ok=True)
        (self.root / "roles/job").mkdir()
        shutil.copy2(HERE / "job/role.py", self.root / "roles/job/role.py")

    def _copy_venv(self) -> None:
        venv = self.root / ".venv"
        subprocess.run(["cp", "-a", "--reflink=auto", ROOT / ".venv", venv], check=True)
        (venv / ".made-for").write_text(f"{self.root}\n")
        for link in venv.glob("lib/python3*/site-packages/trading-ops.pth"):
            link.write_text(f"{self.root}\n")

    def inv(self, *arguments: str) -> Run:
        """One `./inv` from shell to prompt."""
        return timed([self.root / "inv", *arguments], env=self._env, cwd=self.root)

    def python(self, script: str) -> Run:
        """A few lines of Python as the checkout's own programs run."""
        return timed([self.root / ".venv/bin/python", "-P", "-c", script], env=self._env, cwd=self.root)

    def write_inventory(self, hosts: Mapping[str, Any]) -> None:
        (self.root / "inventory.yaml").write_text(yaml.safe_dump({"version": 1, "hosts": dict(hosts)}))

    def edit_runtime(self, number: int) -> None:
        """Changes one line of what is shipped."""
        path = self.root / "runtime/__init__.py"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("# edit ")]
        path.write_text("\n".join([*lines, f"# edit {number}"]) + "\n")


def timed(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> Run:
    """Runs a program to its end; exits the benchmark with what it said when it fails."""
    began = time.perf_counter()
    done = subprocess.run(
        command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        words = " ".join(map(str, command))
        sys.exit(f"bench: `{words}` exited {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return Run(seconds, done.stdout, done.stderr)


class Probe:
    """An SSH connection that stays open, so that looking at the host adds nothing to what is counted there."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection = connect(target)
        self._port = str(self._connection.transport.sock.getsockname()[1])

    def run(self, command: str) -> str:
        done = self._connection.run(command, hide=True, in_stream=False)
        return str(done.stdout)

    def another(self) -> Probe:
        return Probe(self._target)

    def cursor(self) -> str:
        """Where the system journal ends now."""
        return self.run("journalctl --sync; journalctl -n0 --show-cursor").rpartition("cursor: ")[2].strip()

    def connections(self, since: str) -> int:
        return self._count("Accepted publickey ", since)

    def channels(self, since: str) -> int:
        """Commands that were started over SSH, which a shared connection does not make fewer."""
        return self._count("Starting session: ", since)

    def _count(self, words: str, since: str) -> int:
        said = self.run(f"journalctl --sync; journalctl -t sshd -t sshd-session -o cat --after-cursor='{since}'")
        return sum(words in line and f"port {self._port} " not in line for line in said.splitlines())


@dataclass(frozen=True)
class Bed:
    checkout: Checkout
    address: str
    key: Path
    known_hosts: Path

    def target(self) -> Target:
        return Target(HOST, self.address, key=self.key, known_hosts=self.known_hosts)

    def host_key(self) -> str:
        lines = [line.split() for line in self.known_hosts.read_text().splitlines() if line]
        words = next((line for line in lines if "ed25519" in line[1]), lines[0])
        return f"{words[1]} {words[2]}"


def trading(**where: Any) -> dict[str, Any]:
    """A host with everything that the project's own lab host has."""
    webhook = {name: {"secret": name, "generate": True} for name in ("webhook_key", "ops_key")}
    perf = {"token": {"secret": "perf_token", "generate": True}}
    settings = {
        "base": {"firewall": False},
        "webhook": {"listen": "0.0.0.0", **webhook},  # noqa: S104 - reached from here
        "perf": {"listen": "0.0.0.0", **perf},  # noqa: S104
    }
    zone = {"timezone": "America/Montreal"}
    return {**where, "roles": ["base", "webhook", "perf"], "vars": zone, "settings": settings}


@contextlib.contextmanager
def made(say: Any) -> Iterator[Bed]:
    """A booted host that nothing was ever deployed to; both it and the copy are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ops-bench-") as folder:
        checkout = Checkout(Path(folder).resolve())
        checkout.write_inventory({HOST: trading(lab=True)})
        say("booting a fresh lab host")
        try:
            ssh = json.loads(checkout.inv("lab.up", "--name", HOST, "--json").out)["ssh"]
            yield Bed(checkout, ssh["address"], Path(ssh["key"]), Path(ssh["key"]).with_name("known_hosts"))
        finally:
            checkout.inv("lab.down", "--name", HOST)
