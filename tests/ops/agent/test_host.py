"""Programs that the agent runs: what they said, how long they may take, and what systemd refuses."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ops.agent import host, systemd
from ops.agent.host import HostError, explain, run, run_logged
from ops.agent.kinds import apt
from ops.agent.kinds.command import Command
from ops.agent.kinds.git import Git


def test_a_failing_program_is_told_with_its_last_words() -> None:
    with pytest.raises(HostError, match=r"`sh -c .*` exited 3: three\nfour\nfive\nsix"):
        run("sh", "-c", "for word in one two three four five six; do echo $word >&2; done; exit 3")
    with pytest.raises(HostError, match=r"exited 1: \(it said nothing\)"):
        run("false")


def test_a_program_or_a_directory_that_is_missing_is_called_what_it_is() -> None:
    with pytest.raises(HostError, match=r"^no-such-program is not installed on this host$"):
        run("no-such-program")
    with pytest.raises(HostError, match=r"^/no/such/place does not exist$"):
        run("true", cwd="/no/such/place")


def test_a_program_that_takes_too_long_is_killed_with_what_it_started() -> None:
    start = time.monotonic()
    with pytest.raises(HostError, match="did not end within 0 s"):
        run("sh", "-c", "sleep 20 & wait", timeout=0.2)
    assert time.monotonic() - start < 5


def test_a_program_sees_a_plain_environment() -> None:
    said = run("env").stdout.splitlines()
    assert {line.partition("=")[0] for line in said} <= {*host.ENV, "PWD", "SHLVL", "_"}


def test_a_logged_program_keeps_its_output_and_tells_its_own_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "LOGS", tmp_path / "logs")
    run_logged("echo", "from an earlier run", log="apt.log")
    with pytest.raises(HostError) as caught:
        run_logged("sh", "-c", "echo E: no such package >&2; exit 100", log="apt.log")
    assert str(caught.value).endswith("exited 100:\nE: no such package")
    assert caught.value.hint == f"the whole output is in {tmp_path}/logs/apt.log"
    assert (tmp_path / "logs" / "apt.log").read_text() == "from an earlier run\nE: no such package\n"


def test_errors_of_the_kernel_say_what_to_do() -> None:
    told = explain(OSError(30, "Read-only file system", "/etc/x"))
    assert (str(told), told.hint) == (
        "/etc/x: the file system is read-only", "look at `dmesg` and remount it read-write"
    )  # fmt: skip
    assert str(explain(PermissionError(13, "Permission denied", "/etc/x"))) == "/etc/x: Permission denied"
    assert "kB free)" in str(explain(OSError(28, "No space left on device", "/no/such/path")))


def test_the_facts_are_of_this_machine() -> None:
    found = host.facts()
    assert found["arch"] == os.uname().machine
    assert found["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert len(found["os"].split()) >= 2


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(systemd, "RUN", tmp_path)
    return tmp_path / "verify"


UNIT = "[Service]\nExecStart=/bin/true\n"


def test_systemd_accepts_a_good_unit_and_its_drafts_are_gone(folder: Path) -> None:
    socket = "[Socket]\nListenStream=8000\n"
    systemd.verify("ours-web.socket", {"ours-web.socket": socket, "ours-web.service": UNIT})
    assert not folder.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (UNIT + "NoSuchKey=1\n", r"ours-web\.service:3: Unknown key( name)? 'NoSuchKey'"),
        (UNIT + "Restart=somtimes\n", r"ours-web\.service:3: Failed to parse"),
        ("[Service]\nExecStart=/no/such/program\n", r"Command /no/such/program is not executable"),
        ("[Service]\nType=simple\n", r"ours-web\.service: Service has no ExecStart="),
    ],
)
def test_systemd_refuses_a_bad_unit_by_its_line(folder: Path, text: str, words: str) -> None:
    with pytest.raises(HostError, match=words) as caught:
        systemd.verify("ours-web.service", {"ours-web.service": text})
    assert str(caught.value).startswith("systemd refuses ours-web.service: ")
    assert str(folder) not in str(caught.value)
    assert caught.value.hint == "mend its template"
    assert not folder.exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("User=no-such-user", 'there is no user "no-such-user"'),
        ("Group=no-such-group", 'there is no group "no-such-group"'),
        ("EnvironmentFile=/no/such.env", "EnvironmentFile=/no/such.env does not exist"),
        ("WorkingDirectory=/no/such", "WorkingDirectory=/no/such does not exist"),
    ],
)
def test_what_systemd_does_not_look_at_is_looked_at(folder: Path, line: str, words: str) -> None:
    with pytest.raises(HostError, match=words):
        systemd.verify("ours-web.service", {"ours-web.service": f"{UNIT}{line}\n"})


def test_what_may_be_absent_may_be_absent(folder: Path) -> None:
    text = UNIT + "EnvironmentFile=-/no/such.env\nWorkingDirectory=-/no/such\nUser=root\nGroup=root\n"
    systemd.verify("ours-web.service", {"ours-web.service": text})


NAMES = ["exim4", "half", "nftables", "tzdata", "virtual"]


def test_a_held_package_is_installed_and_a_removed_one_is_not() -> None:
    listing = "ii  tzdata\nhi  nftables\nrc  exim4\nun  virtual\n"
    assert apt.packages(listing, NAMES) == {"installed": ["nftables", "tzdata"], "broken": False}


def test_a_version_that_is_asked_for_is_the_only_one_that_will_do() -> None:
    listing = "ii  ngrok 3.1.0\nii  tzdata 2026a\n"
    assert apt.packages(listing, ["ngrok=3.1.0", "tzdata"])["installed"] == ["ngrok=3.1.0", "tzdata"]
    assert apt.packages(listing, ["ngrok=3.2.0", "tzdata"])["installed"] == ["tzdata"]


@pytest.mark.parametrize("state", ["iU", "iF", "iH", "iW", "it"])
def test_a_package_that_is_not_finished_is_seen(state: str) -> None:
    assert apt.packages(f"ii  tzdata\n{state}  half\n", NAMES) == {"installed": ["tzdata"], "broken": True}


def command(**want: Any) -> dict[str, Any]:
    plain = {"name": "x", "argv": ["true"], "creates": "", "unless": ["true"], "user": "root", "cwd": "/", "timeout": 5}
    return plain | want


@pytest.mark.parametrize(
    ("want", "done"),
    [
        (command(), True),
        (command(unless=["false"]), False),
        (command(creates="/etc", unless=[]), True),
        (command(creates="/no/such", unless=[]), False),
        (command(user="no-such-user"), False),
        (command(unless=["no-such-program"]), False),
        (command(cwd="/no/such"), False),
    ],
)
def test_a_guard_that_cannot_be_asked_yet_says_not_done(want: dict[str, Any], done: bool) -> None:
    """A plan for a bare host: the user or the program comes with a resource before the command."""
    assert Command().read(want) == {"done": done}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_command_runs_as_its_user(tmp_path: Path) -> None:
    script = 'test "$(id -un)" = nobody && test "$HOME" = "$1" && test "$(id -Gn)" = nogroup'
    nobody = pwd.getpwnam("nobody").pw_dir
    Command().apply(command(argv=["sh", "-c", script, "sh", nobody], user="nobody"), {"done": False}, [])
    with pytest.raises(HostError, match='there is no user "no-such-user"'):
        Command().apply(command(user="no-such-user"), {"done": False}, [])


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A repository with an annotated tag, and branches whose names end alike."""
    path = tmp_path / "remote"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(path)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
    for step in (
        ["commit", "-q", "--allow-empty", "-m", "one"], ["tag", "-a", "v1", "-m", "v1"],
        ["commit", "-q", "--allow-empty", "-m", "two"], ["branch", "zz/main", "v1"],
    ):  # fmt: skip
        subprocess.run([*git, *step], check=True)
    return path


def test_a_checkout_follows_its_branch_its_tag_and_its_commit(remote: Path, tmp_path: Path) -> None:
    def commit(name: str) -> str:
        return run("git", "-C", str(remote), "rev-parse", f"{name}^{{commit}}").stdout.strip()

    want = {"path": str(tmp_path / "copy"), "url": str(remote), "ref": "main", "user": "root"}
    kind = Git()
    for ref, head in (("main", commit("main")), ("v1", commit("v1")), (commit("main"), commit("main"))):
        want |= {"ref": ref}
        kind.apply(want, state := kind.read(want), kind.changes(state, want))
        state = kind.read(want)
        assert (state["head"], kind.changes(state, want)) == (head, [])
    with pytest.raises(HostError, match='has no branch or tag "mian"'):
        kind.read(want | {"ref": "mian"})


def test_a_checkout_with_edits_or_foreign_files_is_refused(remote: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "theirs").write_text("")
    want = {"path": str(tmp_path / "copy"), "url": str(remote), "ref": "main", "user": "root"}
    kind = Git()
    with pytest.raises(HostError, match="holds files but is no git checkout"):
        kind.apply(want, kind.read(want), [])
    assert (tmp_path / "copy" / "theirs").exists()
