"""The real agent in a process of its own, started with the very command that a host is given."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.agent.host import LOGS, RUN, STATE, facts
from ops.archive import archive, command
from ops.resources import Resource

Document = dict[str, Any]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def item(resource: Resource, role: str = "base", restarts: tuple[str, ...] = ()) -> dict[str, Any]:
    """A resource as it stands in a document."""
    return {
        "key": resource.key,
        "kind": resource.kind,
        "role": role,
        "want": resource.want(),
        "restarts": list(restarts),
    }


def document(*items: dict[str, Any], **more: Any) -> Document:
    run = {"id": "20260101T000000-beef", "who": "ann@laptop", "why": "a test", "release": ""}
    plain = {"version": 1, "mode": "apply", "run": run, "lock_wait": 0, "after": {}, "checks": []}
    return {**plain, "facts": _facts(), "resources": list(items), **more}


def _facts() -> dict[str, str]:
    """This machine's own: the agent refuses any other. Its python3 need not be the one that runs the tests."""
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    said = subprocess.run(["python3", "-c", version], capture_output=True, text=True, env={"PATH": PATH}, check=True)
    return facts() | {"python": said.stdout.strip()}


class Run:
    """One process of the agent. Its state lives in the machine's `state`, `logs` and `run` folders."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []

    def send(self, data: bytes) -> None:
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # it said its last word already
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def until(self, name: str, **fields: Any) -> dict[str, Any]:
        """Reads events up to the one named, which must come."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(event := json.loads(line))
            if event["event"] == name and fields.items() <= event.items():
                return event
        assert self.process.stderr
        raise AssertionError(f"no {name}: {self.events} {self.process.stderr.read().decode()}")

    def end(self) -> dict[str, Any]:
        """The last event; nothing may come after it, nor anything on stderr."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))
        assert self.close() == b""
        assert self.events[-1]["event"] in ("end", "fatal")
        return self.events[-1]

    def hang_up(self) -> None:
        """What a controller that dies does: the host's end of stdin is at its end."""
        assert self.process.stdin
        self.process.stdin.close()

    def close(self) -> bytes:
        """Waits for the process; what it wrote to stderr."""
        assert self.process.stderr and self.process.stdout and self.process.stdin
        self.process.wait(timeout=30)
        said = self.process.stderr.read()
        for pipe in (self.process.stderr, self.process.stdout, self.process.stdin):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        return said

    def results(self) -> dict[str, str]:
        return {event["resource"]: event["result"] for event in self.events if event["event"] == "result"}


class Machine:
    """A machine whose /var/lib/trading-ops, /var/log/trading-ops and /run/trading-ops are folders of the test."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.temporary = root, root / "home", root / "temporary"
        self.mounts = {STATE: root / "state", LOGS: root / "logs", RUN: root / "run"}
        for folder in (self.home, self.temporary, *self.mounts.values()):
            folder.mkdir(parents=True)

    def start(self, document: Document) -> Run:
        binds = [f"mount --bind {shlex.quote(str(real))} {place}" for place, real in self.mounts.items()]
        script = " && ".join([*binds, f"exec {command(sudo=False)}"])
        places = {"HOME": str(self.home), "TMPDIR": str(self.temporary), "PATH": PATH}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script], env=places, cwd=self.home, start_new_session=True, **pipes
        )
        run = Run(process)
        agent, text = archive(), json.dumps(document).encode()
        run.send(b"%d\n%s%d\n%s" % (len(agent), agent, len(text), text))
        return run

    def run(self, document: Document) -> Run:
        """A whole run; its last event is `events[-1]`."""
        run = self.start(document)
        run.end()
        return run

    def kill(self, run: Run) -> None:
        os.killpg(run.process.pid, signal.SIGKILL)
        run.close()


@pytest.fixture(scope="session")
def places() -> Iterator[None]:
    """Mount points for a Machine, removed again when they were not there before."""
    if os.geteuid() != 0:
        pytest.skip("only root may give the agent state folders of its own (unshare -m)")
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"this machine lets nobody mount: {probe.stderr.strip()}")
    made = [place for place in (STATE, LOGS, RUN) if not place.exists()]
    for place in made:
        place.mkdir(parents=True)
    yield
    for place in made:
        with contextlib.suppress(OSError):  # another run of the tests, or a deploy, uses it by now
            place.rmdir()


@pytest.fixture
def machine(places: None, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


@pytest.fixture
def as_item() -> Callable[..., dict[str, Any]]:
    return item


@pytest.fixture
def as_document() -> Callable[..., Document]:
    return document


def tree(root: Path) -> Mapping[str, tuple[int, bytes]]:
    """Every path below with its mode and content: two equal trees were not written between."""
    return {
        str(path.relative_to(root)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(root.rglob("*"))
    }


@pytest.fixture
def snapshot() -> Callable[[Path], Mapping[str, tuple[int, bytes]]]:
    return tree
