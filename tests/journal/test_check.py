"""`github.check`: what it says of a checkout, against a real sshd on loopback."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.journal import check, vcs
from runtime.journal.check import Finding, place_of
from tests.journal.git_kit import Clone

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@dataclass
class Server:
    """An sshd that serves this user, by key only; `accepted` is its authorized_keys."""

    folder: Path
    port: int

    @property
    def accepted(self) -> Path:
        return self.folder / "accepted"

    def url(self, path: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{path}"


def _key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.with_suffix(".pub").read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not Path(SSHD).exists():
        pytest.skip("this machine has no sshd of its own: apt-get install openssh-server")
    folder = tmp_path_factory.mktemp("sshd")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = Server(folder, probe.getsockname()[1])
    host_key, key = _key(folder / "host"), _key(folder / "key")
    found.accepted.write_text(key)
    (folder / "known").write_text(f"[127.0.0.1]:{found.port} {host_key}")
    options = {
        "ListenAddress": f"127.0.0.1:{found.port}", "HostKey": folder / "host", "AuthorizedKeysFile": found.accepted,
        "StrictModes": "no", "PidFile": "none", "PasswordAuthentication": "no", "UsePAM": "no",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", "/dev/null", *words], stderr=subprocess.DEVNULL)
    try:
        _wait_for(found.port)
        yield found
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        assert time.monotonic() < deadline, "sshd does not start"
        time.sleep(0.05)


@pytest.fixture
def clone(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A checkout whose remote is behind that sshd; `ssh` finds its key by a configuration of its own."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", tmp_path / "hub.git"], check=True)
    known = f"UserKnownHostsFile {server.folder}/known\n"
    (tmp_path / "config").write_text(f"IdentityFile {server.folder}/key\nIdentitiesOnly yes\n{known}")
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {tmp_path}/config "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    found = Clone.of(server.url(tmp_path / "hub.git"), tmp_path / "clone")
    found.git("symbolic-ref", "HEAD", "refs/heads/main")
    found.add("## 2026-03-01 10:00 — un\nmot\n")
    vcs.commit(found.book, "un")
    return found


def told(clone: Clone) -> dict[str, Finding]:
    return {one.what: one for one in check.findings(clone.book)}


def test_all_is_well_after_a_sync(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(clone)["branch"].text.startswith("main is not there yet")
    assert vcs.sync(clone.book).pushed == 1
    found = told(clone)
    assert all(one.ok for one in found.values()), found
    assert check.command(clone.book, as_json=True) == 0
    assert {one["what"] for one in json.loads(capsys.readouterr().out)["findings"]} == set(found)


def test_what_is_not_pushed_is_counted(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    assert vcs.sync(clone.book).ok
    clone.add("## 2026-03-01 11:00 — deux\nmot\n")
    vcs.commit(clone.book, "deux")
    assert told(clone)["standing"].text == "1 commits to push, 0 to receive"
    assert told(clone)["queue"].hint == "./inv journal.sync"
    assert check.command(clone.book, as_json=False) == 1
    assert "-> ./inv journal.sync" in capsys.readouterr().out


def test_a_refused_key_is_shown_with_the_page_it_is_pasted_at(clone: Clone, server: Server) -> None:
    kept = server.accepted.read_text()
    server.accepted.write_text("")
    try:
        found, done = told(clone), vcs.sync(clone.book)
    finally:
        server.accepted.write_text(kept)
    assert found["key"].code == done.code == "key-refused"
    assert kept.strip() in found["key"].hint
    assert "/settings/keys/new" in found["key"].hint
    assert "access" not in found, "it would only say the same again"


def test_another_host_key_than_before(clone: Clone, server: Server, tmp_path: Path) -> None:
    known = server.folder / "known"
    kept = known.read_text()
    known.write_text(f"[127.0.0.1]:{server.port} {_key(tmp_path / 'other')}")
    try:
        found = told(clone)["key"]
    finally:
        known.write_text(kept)
    assert found.code == "host-key-changed"
    assert "compare" in found.hint


def test_a_repository_that_is_not_there(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "hub.git").rename(tmp_path / "gone.git")
    found = told(clone)
    assert found["key"].ok
    assert found["access"].code == "not-found"


def test_nobody_listens(clone: Clone, tmp_path: Path) -> None:
    clone.git("remote", "set-url", "origin", f"ssh://git@127.0.0.1:9{tmp_path}/hub.git")
    assert told(clone)["key"].code == "offline"


def test_an_https_remote_is_turned_into_its_ssh_form(clone: Clone) -> None:
    clone.git("remote", "set-url", "origin", "https://127.0.0.1:9/ann/notes")
    found = told(clone)["remote"]
    assert found.code == "https"
    assert "set-url origin git@" in found.hint


def test_no_repository_and_no_remote(tmp_path: Path) -> None:
    assert [one.what for one in check.findings(tmp_path / "journal.md")] == ["repository"]
    alone = Clone.init(tmp_path / "alone")
    assert [one.what for one in check.findings(alone.book)] == ["repository", "remote"]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("git@github.com:ann/notes.git", ("git", "github.com", "", "ann/notes.git")),
        ("ssh://git@10.0.0.1:2222/srv/x.git", ("git", "10.0.0.1", "2222", "srv/x.git")),
        ("github.com:ann/notes", ("git", "github.com", "", "ann/notes")),
        ("https://github.com/ann/notes", None),
        ("/srv/notes.git", None),
    ],
)
def test_which_remotes_are_reached_by_ssh(url: str, place: tuple[str, ...] | None) -> None:
    assert place_of(url) == place
