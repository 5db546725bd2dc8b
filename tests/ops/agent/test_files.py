"""Files are whole or absent, whatever happens in between, and come back as they were."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.agent import files
from ops.agent.host import HostError, explain
from ops.agent.kinds.paths import Directory, File

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@root_only
def test_a_written_file_has_its_bytes_mode_and_owner(path: Path) -> None:
    files.write(path, b"\xff\x00\n", owner="nobody", group="nogroup", mode=0o4750)
    assert path.read_bytes() == b"\xff\x00\n"
    assert files.look(str(path)) == {"type": "file", "mode": "4750", "owner": "nobody", "group": "nogroup"}
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_numbers_stand_for_owners_without_a_name(path: Path) -> None:
    assert files.ids("4711", "4712") == (4711, 4712)
    with pytest.raises(HostError, match='there is no user "nobody-such"'):
        files.write(path, b"", owner="nobody-such")
    with pytest.raises(HostError, match='there is no group "no-such"'):
        files.write(path, b"", group="no-such")
    assert not list(path.parent.iterdir())


def test_a_reader_sees_the_old_file_or_the_new_one(path: Path) -> None:
    files.write(path, b"a" * 50_000)
    seen, done = set[bytes](), threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for letter in (b"b", b"a") * 20:
        files.write(path, letter * 50_000)
    done.set()
    reader.join()
    assert seen <= {b"a" * 50_000, b"b" * 50_000}


def test_a_full_disk_leaves_the_old_file_and_no_draft(small: Path) -> None:
    path = small / "file"
    files.write(path, b"old" * 1000)
    with pytest.raises(OSError, match="No space left") as caught:
        files.write(path, b"n" * 200_000)
    assert path.read_bytes() == b"old" * 1000
    assert [entry.name for entry in small.iterdir()] == ["file"]
    told = explain(caught.value)
    assert str(told).startswith("no space left on device (")
    assert "kB free" in str(told)
    assert told.hint == "free some space on the host, then run deploy again"


def test_a_file_size_limit_leaves_the_old_file_and_no_draft(path: Path) -> None:
    files.write(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            files.write(path, b"n" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
    assert str(explain(caught.value)) == f"{path}: File too large"


def test_a_draft_of_a_run_that_was_killed_is_no_obstacle(path: Path) -> None:
    path.with_name(".file.ops-new").write_text("half")
    files.write(path, b"whole")
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_a_link_left_in_the_drafts_place_is_not_written_through(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    path.with_name(".file.ops-new").symlink_to(victim)
    files.write(path, b"whole")
    assert victim.read_text() == "untouched"
    assert not path.is_symlink()


def test_link_replaces_a_link_and_a_file_in_one_step(path: Path) -> None:
    files.link(str(path), "/first")
    files.link(str(path), "/second")
    assert path.readlink() == Path("/second")
    path.unlink()
    path.write_text("file")
    files.link(str(path), "relative")
    assert path.readlink() == Path("relative")
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_looking_at_each_type(path: Path, tmp_path: Path) -> None:
    assert files.look(str(path)) == {"type": "absent"}
    assert files.look(str(path / "below")) == {"type": "absent"}
    path.write_bytes(b"caf\xe9")
    assert files.look(str(path / "below")) == {"type": "absent"}, "a file stands where a directory should"
    assert files.look(str(path), content=True)["content"] == "caf\udce9"
    assert "content" not in files.look(str(path))
    assert files.look(str(tmp_path))["type"] == "directory"
    os.mkfifo(tmp_path / "fifo")
    assert files.look(str(tmp_path / "fifo"), content=True)["type"] == "other"


def make(path: Path, what: str) -> None:
    """Puts something of type `what` at `path`."""
    if what == "file":
        path.write_bytes(b"caf\xe9\n")
        path.chmod(0o640)
    elif what == "directory":
        path.mkdir(mode=0o700)
    elif what == "symlink":
        path.symlink_to("/nowhere")


TYPES = ("absent", "file", "directory", "symlink")


@pytest.mark.parametrize("now", TYPES)
@pytest.mark.parametrize("was", [*TYPES, "owned file"])
def test_what_was_kept_comes_back_over_anything(path: Path, was: str, now: str) -> None:
    make(path, was.removeprefix("owned "))
    if was == "owned file":
        if os.geteuid():
            pytest.skip("only root may give files away")
        os.chown(path, 4711, 4712)
    state = files.look(str(path), content=True)
    kept = files.keep(state, str(path))
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    make(path, now)
    files.restore(kept)
    assert files.look(str(path), content=True) == state


def test_a_note_survives_json_whatever_bytes_the_file_held(path: Path) -> None:
    import json

    path.write_bytes(bytes(range(256)))
    kept = json.loads(json.dumps(files.keep(files.look(str(path), content=True), str(path))))
    files.write(path, b"new")
    files.restore(kept)
    assert path.read_bytes() == bytes(range(256))


def test_a_directory_that_was_not_there_stays_when_others_use_it_by_now(path: Path) -> None:
    kept = files.keep(files.look(str(path)), str(path))
    path.mkdir()
    (path / "theirs").write_text("")
    files.restore(kept)
    assert (path / "theirs").exists()


@pytest.mark.parametrize(
    ("what", "words"),
    [("file", "is a file, not a directory"), ("full", "is a directory with something in it, not a file")],
)
def test_what_would_be_lost_is_not_removed(path: Path, what: str, words: str) -> None:
    make(path, "directory" if what == "full" else what)
    if what == "full":
        (path / "inside").write_text("")
    found, wanted = ("directory", "file") if what == "full" else ("file", "directory")
    with pytest.raises(HostError, match=words) as caught:
        files.make_way(str(path), found, wanted)
    assert caught.value.hint == f"move it away on the host: mv {path} {path}.old"
    assert path.exists()


@pytest.mark.parametrize("what", ["directory", "symlink"])
def test_an_empty_directory_and_a_link_make_way(path: Path, what: str) -> None:
    make(path, what)
    files.make_way(str(path), what, "file")
    assert not os.path.lexists(path)


@pytest.fixture
def want(path: Path) -> dict[str, Any]:
    access = {"owner": "root", "group": "root", "mode": "0644"}
    return {"path": str(path), "content": "new\n", **access, "secret": False, "validate": []}


def test_a_link_in_a_files_place_stands_until_the_file_is_whole(small: Path, want: dict[str, Any]) -> None:
    path = small / "file"
    path.symlink_to("/etc/hostname")
    want |= {"path": str(path), "content": "n" * 200_000}
    kind = File()
    with pytest.raises(OSError, match="No space left"):
        kind.apply(want, state := kind.read(want), kind.changes(state, want))
    assert path.readlink() == Path("/etc/hostname")


def test_content_that_is_not_ours_is_neither_read_nor_kept(path: Path, want: dict[str, Any]) -> None:
    path.write_text("the log book\n")
    want |= {"content": None}
    state = File().read(want)
    assert "content" not in state
    assert "data" not in (File().keep(state, want) or {})
    assert File().keep({"type": "absent"}, want) is None


def test_a_missing_folder_is_named(want: dict[str, Any], tmp_path: Path) -> None:
    want["path"] = f"{tmp_path}/gone/file"
    with pytest.raises(HostError, match=f"the directory {tmp_path}/gone does not exist"):
        File().apply(want, {"type": "absent"}, [])


def test_a_validator_refuses_before_the_file_is_in_place(
    path: Path, want: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ops.agent.host.RUN", tmp_path / "run")
    path.write_text("old\n")
    want["validate"] = ["sh", "-c", "echo line 1: bad word >&2; cat %s >/dev/null && exit 3"]
    kind = File()
    with pytest.raises(HostError, match="exited 3: line 1: bad word"):
        kind.apply(want, state := kind.read(want), kind.changes(state, want))
    assert path.read_text() == "old\n"
    assert list((tmp_path / "run").iterdir()) == []
    want["validate"] = ["grep", "-q", "new", "%s"]
    kind.apply(want, state, kind.changes(state, want))
    assert path.read_text() == "new\n"


@root_only
def test_a_directory_that_was_moved_behind_a_link_stays_there(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    want = {"path": str(tmp_path / "data"), "owner": "root", "group": "root", "mode": "0750"}
    kind = Directory()
    changes = kind.changes(state := kind.read(want), want)
    assert [change.what for change in changes] == ["mode"]
    kept = kind.keep(state, want)
    kind.apply(want, state, changes)
    assert (tmp_path / "data").is_symlink()
    assert kind.changes(kind.read(want), want) == []
    kind.restore(kept)
    assert (tmp_path / "disk").stat().st_mode & 0o777 == 0o700
