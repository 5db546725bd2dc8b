"""What the host itself knows of drift: what a deploy left, held against what is there now."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from miner import drift
from ops.agent.kinds import all_kinds
from ops.agent.managed import Managed
from ops.agent.memory import Memory
from ops.paths import ROOT
from ops.resources import AptRepo, Block, Directory, File, Resource, Symlink
from runtime import clock

OWN = {"owner": "root", "group": "root"}


class Host:
    """Paths as the agent's own kinds leave them, and the look at them in a process of its own."""

    def __init__(self, root: Path) -> None:
        self.etc, self.state = root / "etc", root / "state"
        self.memory = Memory(self.state)
        self.memory.prepare()
        self.etc.mkdir()
        self.kinds = all_kinds(self.memory, {})

    def deploy(self, *resources: Resource) -> None:
        for resource in resources:
            want, kind = resource.want(), self.kinds[resource.kind]
            state = kind.read(want)
            if changes := kind.changes(state, want):
                kind.apply(want, state, changes)
            self.memory.managed.note("base", kind.marks(want))
        self.memory.managed.settle("", ["base"])
        self.memory.save()

    def look(self, *words: str) -> dict[str, Any]:
        options = ["--to", f"{self.state}/drift.json", "--managed", f"{self.state}/managed.json"]
        options += ["--lock", f"{self.state}/lock", *words]
        subprocess.run([sys.executable, "-P", "-m", "miner.drift", *options], check=True, env=paths(), timeout=30)
        said: dict[str, Any] = json.loads((self.state / "drift.json").read_text())
        return said


def paths() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path)
    made.deploy(*resources(made))
    return made


def resources(host: Host) -> list[Resource]:
    (host.etc / "config").write_text("# theirs\n")
    return [
        Directory(f"{host.etc}/app", mode=0o750),
        File(f"{host.etc}/app/app.conf", content="port = 1\n", mode=0o640),
        File(f"{host.etc}/secret.env", content="KEY=a-secret-of-ours\n", mode=0o600, secret=True),
        File(f"{host.etc}/app/log", mode=0o640),
        Symlink(f"{host.etc}/current", f"{host.etc}/app"),
        Block(f"{host.etc}/config", "github", "Host github.com\n"),
    ]


def test_a_host_as_it_was_left_has_no_drift(host: Host) -> None:
    assert host.look()["files"] == []
    (host.etc / "app" / "log").write_text("what a service writes itself\n")
    theirs = host.etc / "config"
    theirs.write_text("# more of theirs\n" + theirs.read_text() + "# and more\n")
    assert host.look()["count"] == 0


BY_HAND = {
    "an edit": ("echo '# mine' >>app/app.conf", "app/app.conf: content"),
    "a mode": ("chmod 0644 app/app.conf", "app/app.conf: mode 0644 instead of 0640"),
    "an owner": ("chown 12345:nogroup app", "app: owner 12345 instead of root, group nogroup instead of root"),
    "a directory's mode": ("chmod 0777 app", "app: mode 0777 instead of 0750"),
    "a file that is gone": ("rm app/app.conf", "app/app.conf: gone"),
    "a directory in a file's place": ("rm app/app.conf; mkdir app/app.conf", "app/app.conf: no file any more"),
    "a file in a link's place": ("rm current; touch current", "current: no link any more"),
    "a link that leads elsewhere": ("ln -sfn / current", "current: target"),
    "a link that is gone": ("rm current", "current: gone"),
    "a secret": ("echo KEY=mine >secret.env", "secret.env: content"),
    "the mode of a file whose text is not ours": ("chmod 0600 app/log", "app/log: mode 0600 instead of 0640"),
    "our lines": ("sed -i s/github.com/other.com/ config", "config: our lines"),
    "our lines gone": ("echo '# theirs' >config", "config: our lines"),
    "our lines twice": ("cat config config >both; cat both >config", "config: our lines"),
}


@pytest.mark.parametrize(("command", "told"), BY_HAND.values(), ids=BY_HAND)
def test_what_was_changed_by_hand_is_named_and_over_after_a_deploy(host: Host, command: str, told: str) -> None:
    subprocess.run(["sh", "-ec", command], cwd=host.etc, check=True)
    found = host.look()
    assert (found["count"], found["files"]) == (1, [f"{host.etc}/{told}"])
    if (host.etc / "app" / "app.conf").is_dir():
        (host.etc / "app" / "app.conf").rmdir()
    host.deploy(*[one for one in resources_again(host) if one.kind != "block" or "config" in told])
    assert host.look()["count"] == 0


def resources_again(host: Host) -> list[Resource]:
    theirs = (host.etc / "config").read_text()
    found = resources(host)
    (host.etc / "config").write_text(theirs)
    return found


def test_a_directory_that_was_moved_to_another_disk_is_none(host: Host, tmp_path: Path) -> None:
    (host.etc / "app").rename(tmp_path / "disk")
    (host.etc / "app").symlink_to(tmp_path / "disk")
    assert host.look()["count"] == 0


def test_a_repository_of_packages_counts_as_its_two_files() -> None:
    want = AptRepo("own", ("https://example.org",), ("stable",), "KEY").want()
    marks = all_kinds(Memory(Path("/nowhere")), {})["apt-repo"].marks(want)
    assert [mark["path"] for mark in marks] == ["/etc/apt/keyrings/own.asc", "/etc/apt/sources.list.d/own.sources"]
    assert {mark["mode"] for mark in marks} == {"0644"} and all(mark["sha256"] for mark in marks)


def test_what_is_written_is_for_everybody_and_holds_no_secret(host: Host) -> None:
    (host.etc / "secret.env").write_text("KEY=a-secret-of-mine\n")
    before = clock.now().timestamp()
    said = host.look("--holds", "600")
    assert before + 600 <= said["until"] <= clock.now().timestamp() + 600
    assert (host.state / "drift.json").stat().st_mode & 0o777 == 0o644
    left = (host.state / "managed.json").read_text() + (host.state / "drift.json").read_text()
    assert "a-secret" not in left
    assert (host.state / "managed.json").stat().st_mode & 0o777 == 0o600


def test_a_host_that_no_deploy_has_described_says_nothing(tmp_path: Path) -> None:
    options = ["--to", f"{tmp_path}/drift.json", "--managed", f"{tmp_path}/none", "--lock", f"{tmp_path}/lock"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "miner.drift", *options], check=True, env=paths(), capture_output=True, text=True
    )
    assert "no deploy has said yet" in done.stdout and not (tmp_path / "drift.json").exists()


def test_half_a_deploy_is_no_drift(host: Host) -> None:
    """It waits for the lock that a deploy holds, and does not keep it."""
    lock = (host.state / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (host.etc / "app" / "app.conf").write_text("half a deploy\n")
    assert drift.wait_for_deploy(host.state / "lock", 0.3) is False
    looking = subprocess.Popen(
        [sys.executable, "-P", "-m", "miner.drift", "--to", f"{host.state}/drift.json",
         "--managed", f"{host.state}/managed.json", "--lock", f"{host.state}/lock"], env=paths(),
    )  # fmt: skip
    time.sleep(0.8)
    assert looking.poll() is None and not (host.state / "drift.json").exists()
    host.deploy(*resources_again(host))
    lock.close()
    assert looking.wait(timeout=20) == 0
    assert json.loads((host.state / "drift.json").read_text())["count"] == 0


def mark(path: str) -> dict[str, Any]:
    return {"type": "symlink", "path": path, "target": "/x"}


def stored(root: Path) -> dict[str, dict[str, Any]]:
    said: dict[str, dict[str, Any]] = json.loads((root / "managed.json").read_text())
    return said


def test_what_no_role_wants_any_more_is_not_missed(tmp_path: Path) -> None:
    file = tmp_path / "managed.json"
    first = Managed(file, {})
    first.note("base", [mark("/a"), mark("/old")])
    first.note("perf", [mark("/p")])
    first.note("gone", [mark("/g")])
    first.settle("", ["base", "perf", "gone"])
    first.save()
    alone = Managed(file, stored(tmp_path))
    alone.note("base", [mark("/a")])
    alone.settle("base", ["base", "perf"])
    alone.save()
    assert set(stored(tmp_path)["settled"]) == {"/a", "/p"}, "--role base: perf's stay, and what base dropped goes"


def test_a_rollback_comes_back_to_what_the_last_healthy_run_left(tmp_path: Path) -> None:
    file = tmp_path / "managed.json"
    healthy = Managed(file, {})
    healthy.note("base", [mark("/a")])
    healthy.settle("", ["base"])
    healthy.save()
    cut_off = Managed(file, stored(tmp_path))
    cut_off.note("base", [{**mark("/a"), "target": "/new"}, mark("/b")])
    cut_off.save()
    assert {one["path"]: one["target"] for one in drift.left_by_deploys(file)} == {"/a": "/new", "/b": "/x"}
    sick = Managed(file, stored(tmp_path))
    sick.undo()
    sick.save()
    assert {one["path"]: one["target"] for one in drift.left_by_deploys(file)} == {"/a": "/x"}
