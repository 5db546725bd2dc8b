"""Wheels on the host: taken in whole or not at all, checked again, and dropped when no release needs them."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ops.agent import rollback, systemd
from ops.agent.host import HostError
from ops.agent.kinds import all_kinds, release
from ops.agent.kinds.release import Release
from ops.agent.memory import Memory

DATA = b"a wheel"
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def blobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(release, "BLOBS", tmp_path / "blobs")
    monkeypatch.setattr(release, "STATE", tmp_path)
    return tmp_path / "blobs"


def test_a_wheel_is_stored_under_its_hash_for_root_only(blobs: Path) -> None:
    source = io.BytesIO(DATA + b"what follows")
    release.receive(SHA, len(DATA), source)
    assert (blobs / SHA).read_bytes() == DATA
    assert source.read() == b"what follows"
    assert blobs.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"b wheel", HostError), (b"a whe", EOFError), (b"", EOFError)],
    ids=["other", "cut off", "none"],
)
def test_a_wheel_that_is_not_whole_and_true_is_not_kept(blobs: Path, data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        release.receive(SHA, len(DATA), io.BytesIO(data))
    assert list(blobs.iterdir()) == []


def test_a_wheel_that_was_changed_on_the_host_is_refused_and_removed(blobs: Path) -> None:
    release.receive(SHA, len(DATA), io.BytesIO(DATA))
    assert release._checked({"name": "x.whl", "sha256": SHA}) == blobs / SHA
    (blobs / SHA).write_bytes(b"evil")
    with pytest.raises(HostError, match=r"x\.whl in .* was changed after it was uploaded") as caught:
        release._checked({"name": "x.whl", "sha256": SHA})
    assert "run deploy again" in caught.value.hint
    assert list(blobs.iterdir()) == []


class Root:
    """A release root, with releases as far as their record goes."""

    def __init__(self, path: Path) -> None:
        self.path, self.age = path, 0

    def want(self, name: str, *wheels: str, keep: int = 3) -> dict[str, Any]:
        listed = [{"name": wheel, "sha256": wheel} for wheel in (name, *wheels)]
        return {"root": str(self.path), "id": name, "wheels": listed, "installer": {"sha256": "uv"}, "keep": keep}

    def build(self, name: str, *wheels: str) -> None:
        home = self.path / "releases" / name
        home.mkdir(parents=True)
        record = home / "release.json"
        record.write_text(json.dumps({"id": name, "wheels": [name, *wheels], "installer": "uv"}))
        self.age += 10
        os.utime(record, (self.age, self.age))

    def built(self) -> set[str]:
        return {path.name for path in (self.path / "releases").iterdir()}

    def switch(self, name: str) -> None:
        kind, want = Release(), self.want(name)
        kind.apply(want, state := kind.read(want), kind.changes(state, want))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path / "opt")


def test_only_what_an_unbuilt_release_lacks_is_asked_for(root: Root, blobs: Path) -> None:
    root.build("one")
    blobs.mkdir()
    (blobs / "shared").write_bytes(b"")
    assert release.missing_blobs([root.want("one")]) == []
    assert release.missing_blobs([root.want("two", "shared")]) == ["two", "uv"]


def test_a_release_without_its_record_is_built_again(root: Root) -> None:
    (root.path / "releases" / "one").mkdir(parents=True)
    assert not release.is_built(root.want("one"))
    assert [change.what for change in Release().changes(Release().read(root.want("one")), root.want("one"))] == [
        "build", "venv"
    ]  # fmt: skip


def test_three_releases_are_kept_with_their_wheels(root: Root, blobs: Path) -> None:
    blobs.mkdir()
    for name in ("one", "two", "three", "four", "five"):
        root.build(name, "shared")
        for wheel in (name, "shared", "uv", f".{name}"):
            (blobs / wheel).write_bytes(b"")
        root.switch(name)
    assert root.built() == {"three", "four", "five"}
    assert {path.name for path in blobs.iterdir()} == {"three", "four", "five", "shared", "uv"}
    assert (root.path / "venv").resolve() == root.path / "releases" / "five"


def test_the_release_that_ran_until_now_stays_however_old(root: Root) -> None:
    for name in ("one", "two", "three", "four"):
        root.build(name)
    (root.path / "venv").symlink_to(root.path / "releases" / "one")
    root.switch("four")
    assert root.built() == {"one", "two", "three", "four"}


def test_the_release_that_a_rollback_would_come_back_to_stays(root: Root, tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.prepare()
    root.build("one")
    root.switch("one")
    memory.keep("release:opt", "release", Release().keep(Release().read(root.want("two")), root.want("two")))
    for name in ("two", "three", "four", "five"):  # each of these runs was cut off before its health gate
        root.build(name)
        root.switch(name)
    assert "one" in root.built()


def test_a_rollback_points_back_at_the_release_before(root: Root) -> None:
    root.build("one")
    root.build("two")
    root.switch("one")
    kind = Release()
    kept = kind.keep(kind.read(root.want("two")), root.want("two"))
    root.switch("two")
    kind.restore(json.loads(json.dumps(kept)))
    assert kind.read(root.want("one"))["current"] == "one"


def test_a_directory_in_the_links_place_is_not_thrown_away(root: Root) -> None:
    root.build("one")
    (root.path / "venv" / "bin").mkdir(parents=True)
    with pytest.raises(HostError, match="venv is a directory with something in it") as caught:
        root.switch("one")
    assert f"mv {root.path}/venv" in caught.value.hint


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What systemd is asked to do, in order. The lab asks the real one."""
    log: list[tuple[str, ...]] = []
    monkeypatch.setattr(systemd, "job", lambda *argv: log.append(argv))
    for verb in ("stop", "disable", "forget_failure"):
        monkeypatch.setattr(systemd, verb, lambda unit, verb=verb: log.append((verb, unit)))
    monkeypatch.setattr(systemd, "reload", lambda: log.append(("reload",)))
    return log


def kept(name: str, active: str, enabled: str, service: str = "") -> dict[str, Any]:
    return {"name": name, "active": active, "enabled": enabled, "inputs": f"stale:{name}", "service": service}


def test_a_rollback_undoes_backwards_and_starts_forwards(tmp_path: Path, asked: list[tuple[str, ...]]) -> None:
    memory = Memory(tmp_path / "state")
    memory.prepare()
    path = tmp_path / "file"
    path.write_text("new")
    memory.keep("file:x", "file", {"path": str(path), "type": "absent"})
    memory.keep("unit:a.socket", "unit", kept("a.socket", "active", "enabled", "a.service"))
    memory.keep("unit:new.service", "unit", kept("new.service", "inactive", ""))
    memory.set_applied("file:x", "digest")
    assert rollback.roll_back(memory, all_kinds(memory, {})) == []
    assert asked == [
        ("stop", "new.service"), ("disable", "new.service"), ("reload",),
        ("enable", "a.socket"), ("forget_failure", "a.socket"), ("restart", "a.socket", "a.service"),
    ]  # fmt: skip
    assert not path.exists()
    assert (memory.undo_notes(), memory.inputs("a.socket"), memory.applied("file:x")) == ([], "a.socket", "")


def test_what_cannot_be_undone_is_told_and_the_rest_is_done(tmp_path: Path, asked: list[tuple[str, ...]]) -> None:
    memory = Memory(tmp_path / "state")
    memory.prepare()
    full, path = tmp_path / "full", tmp_path / "file"
    full.mkdir()
    (full / "theirs").write_text("")
    path.write_text("new")
    memory.keep("file:first", "file", {"path": str(path), "type": "absent"})
    memory.keep("symlink:full", "symlink", {"path": str(full), "type": "symlink", "target": "/"})
    (problem,) = rollback.roll_back(memory, all_kinds(memory, {}))
    assert problem.startswith(f"symlink:full: {full} is a directory with something in it")
    assert not path.exists()
    assert len(Memory(tmp_path / "state").undo_notes()) == 2, "the next healthy run forgets them, not this one"
