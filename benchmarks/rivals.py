"""The three ways to do the 25 steps. Each is a whole program run, set up as its own documentation recommends."""

from __future__ import annotations

import os
import re
from typing import ClassVar, Protocol

from benchmarks.bed import HERE, Bed, Run, timed
from ops.paths import ROOT

BIN = ROOT / ".venv-bench/bin"
JOB = HERE / "job"


class Tool(Protocol):
    name: ClassVar[str]
    times: ClassVar[float | None]

    def __init__(self, bed: Bed) -> None: ...

    def run(self) -> Run: ...

    def changed_nothing(self, run: Run) -> bool:
        """Whether the tool itself says so."""
        ...


class Ours:
    name = "trading-ops"
    times = None

    def __init__(self, bed: Bed) -> None:
        self._checkout = bed.checkout

    def run(self) -> Run:
        return self._checkout.inv("deploy", "--host", "job")

    def changed_nothing(self, run: Run) -> bool:
        return ", 0 changed of 25" in run.out


class Pyinfra:
    name = "pyinfra"
    times = 6.0

    def __init__(self, bed: Bed) -> None:
        self._root = bed.checkout.root
        self._inventory = self._root / "pyinfra_inventory.py"
        data = {
            "ssh_user": "root",
            "ssh_key": str(bed.key),
            "ssh_known_hosts_file": str(bed.known_hosts),
            "ssh_strict_host_key_checking": "yes",
        }
        self._inventory.write_text(f"hosts = [({bed.address!r}, {data!r})]\n")

    def run(self) -> Run:
        command = [BIN / "pyinfra", "-y", self._inventory, JOB / "deploy_pyinfra.py"]
        return timed(command, env=dict(os.environ), cwd=self._root)

    def changed_nothing(self, run: Run) -> bool:
        """27 operations: restarting a service whose file changed is one of its own."""
        return re.search(r"Grand total +27 +- +- +27\b", run.err) is not None


class Ansible:
    """Pipelining and a connection that is kept between tasks and between runs; no facts are gathered."""

    name = "ansible-core"
    times = 25.0

    def __init__(self, bed: Bed) -> None:
        root = bed.checkout.root
        self._inventory = root / "ansible_hosts"
        options = (
            f"ansible_user=root ansible_ssh_private_key_file={bed.key} ansible_python_interpreter=/usr/bin/python3"
        )
        self._inventory.write_text(f"{bed.address} {options}\n")
        ssh = f"-F none -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={bed.known_hosts}"
        self._env = {
            **os.environ,
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_SSH_ARGS": ssh,
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(root / "cp"),
            "ANSIBLE_LOCAL_TEMP": str(root / "ansible_tmp"),
            "ANSIBLE_NOCOLOR": "1",
        }

    def run(self) -> Run:
        command = [BIN / "ansible-playbook", "-i", self._inventory, JOB / "playbook.yml"]
        return timed(command, env=self._env, cwd=JOB)

    def changed_nothing(self, run: Run) -> bool:
        return re.search(r"ok=8 +changed=0 ", run.out) is not None


TOOLS: tuple[type[Tool], ...] = (Ours, Pyinfra, Ansible)
