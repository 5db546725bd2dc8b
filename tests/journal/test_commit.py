"""Committing the log book: it alone, at once, in whatever state the work tree is."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from runtime.journal import pending, vcs
from runtime.journal.git import find
from runtime.journal.vcs import VcsError
from tests.journal.git_kit import Clone

ENTRY = b"## 2026-03-01 12:30 \xe2\x80\x94 essai\nun mot\n"


@pytest.fixture(autouse=True)
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody has configured git."""
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    found = Clone.init(tmp_path / "clone")
    found.write("other", "one\n")
    found.git("add", "-A")
    found.git("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-qm", "first")
    return found


def test_only_the_log_book_is_committed_whatever_else_is_changed(clone: Clone) -> None:
    clone.write("other", "staged\n")
    clone.git("add", "other")
    clone.write("other", "changed again\n")
    clone.write("stray", "untracked\n")
    clone.book.write_bytes(ENTRY)
    start = time.monotonic()
    made = vcs.commit(clone.book, "Séance: essai")
    assert time.monotonic() - start < 1  # 0.1 s where nothing else runs
    assert made == clone.git("rev-parse", "HEAD")
    assert clone.git("show", "--name-only", "--format=%s", "HEAD") == "Séance: essai\n\njournal.md"
    assert clone.git("status", "--short") == "MM other\n?? stray"


def test_nothing_new_is_no_commit(clone: Clone) -> None:
    clone.book.write_bytes(ENTRY)
    assert vcs.commit(clone.book, "one")
    assert vcs.commit(clone.book, "two") is None


def test_outside_of_a_repository_there_is_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal.md").write_bytes(ENTRY)
    assert vcs.commit(tmp_path / "journal.md", "one") is None
    assert vcs.commit(tmp_path / "absent" / "journal.md", "one") is None
    vcs.sync_later(tmp_path / "journal.md")


def test_a_log_book_that_git_shall_ignore_is_left_alone(clone: Clone) -> None:
    clone.write(".gitignore", "journal.md\n")
    clone.book.write_bytes(ENTRY)
    assert vcs.commit(clone.book, "one") is None


@pytest.mark.parametrize("content", [b"", b"a\r\nb\r\n", b"\x00\xff no end", b"x" * 1_000_000])
def test_any_bytes_are_committed_as_they_are(clone: Clone, content: bytes) -> None:
    clone.write(".gitattributes", "* text=auto eol=crlf\n")
    clone.book.write_bytes(content)
    assert vcs.commit(clone.book, "bytes")
    assert clone.committed() == content


def test_the_first_commit_of_all_in_a_folder_below(tmp_path: Path) -> None:
    clone = Clone.init(tmp_path / "clone")
    below = clone.root / "notes" / "livre de bord"
    below.mkdir(parents=True)
    (below / "journal é.md").write_bytes(ENTRY)
    assert vcs.commit(below / "journal é.md", "first")
    assert clone.git("-c", "core.quotePath=false", "ls-files") == "notes/livre de bord/journal é.md"


def test_a_machine_where_nobody_told_git_a_name(clone: Clone) -> None:
    clone.book.write_bytes(ENTRY)
    assert vcs.commit(clone.book, "x")
    assert clone.git("log", "-1", "--format=%an").startswith("trading-ops")


def test_hooks_editors_and_signatures_are_not_asked(clone: Clone) -> None:
    for hook in ("pre-commit", "commit-msg", "prepare-commit-msg", "post-commit", "reference-transaction"):
        path = clone.root / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\nexit 1\n")
        path.chmod(0o755)
    clone.git("config", "commit.gpgsign", "true")
    clone.git("config", "core.editor", "false")
    clone.book.write_bytes(ENTRY)
    assert vcs.commit(clone.book, "x")


@pytest.mark.parametrize("state", ["rebase-merge", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"])
def test_in_the_middle_of_a_person_s_work_it_waits(clone: Clone, state: str) -> None:
    (clone.root / ".git" / state).mkdir()
    clone.book.write_bytes(ENTRY)
    with pytest.raises(VcsError) as told:
        vcs.commit(clone.book, "x")
    assert "under way" in str(told.value)
    assert "journal.sync" in told.value.hint
    waiting = pending.read(clone.root / ".git")
    assert waiting
    assert waiting.code == "busy"
    assert clone.git("log", "--format=%s") == "first"


def test_on_no_branch_it_says_how_to_get_back(clone: Clone) -> None:
    clone.git("checkout", "-q", "--detach")
    clone.book.write_bytes(ENTRY)
    with pytest.raises(VcsError, match="detached"):
        vcs.commit(clone.book, "x")


def test_an_index_that_another_git_holds_is_waited_for(clone: Clone) -> None:
    clone.book.write_bytes(ENTRY)
    held = clone.root / ".git" / "index.lock"
    held.touch()
    waiter = subprocess.Popen(["sh", "-c", f"sleep 0.4; rm {held}"])
    assert vcs.commit(clone.book, "x")
    waiter.wait()


def test_an_index_that_stays_locked_is_told_and_nothing_is_lost(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcs, "_PATIENCE", 0.1)
    clone.book.write_bytes(ENTRY)
    held = clone.root / ".git" / "index.lock"
    held.touch()
    with pytest.raises(VcsError) as told:
        vcs.commit(clone.book, "x")
    assert f"rm {held}" in told.value.hint
    assert held.exists(), "it may be a person's"
    held.unlink()
    assert vcs.commit(clone.book, "x")


def test_a_lock_that_a_killed_one_of_ours_left_is_cleared(clone: Clone) -> None:
    clone.book.write_bytes(ENTRY)
    repo = find(clone.book)
    assert repo
    child = os.fork()
    if child == 0:
        with repo.held():
            (repo.git_dir / "index.lock").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert (repo.git_dir / "index.lock").exists()
    assert vcs.commit(clone.book, "x")


def test_a_staged_half_of_the_log_book_does_not_come_back(clone: Clone) -> None:
    clone.book.write_bytes(b"half")
    clone.git("add", "journal.md")
    clone.book.write_bytes(ENTRY)
    assert vcs.commit(clone.book, "x")
    assert clone.git("status", "--short") == ""


def test_beside_a_bare_repository_git_never_writes_the_file(tmp_path: Path) -> None:
    book = tmp_path / "journal.md"
    book.write_bytes(ENTRY)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", tmp_path / ".git"], check=True)
    made = vcs.commit(book, "x")
    shown = subprocess.run(["git", "show", "HEAD:journal.md"], cwd=tmp_path, capture_output=True, check=True)
    assert made
    assert shown.stdout == ENTRY
    assert subprocess.run(["git", "checkout", "journal.md"], cwd=tmp_path, capture_output=True).returncode != 0


def test_called_from_a_hook_of_another_one(clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    clone.book.write_bytes(ENTRY)
    assert vcs.commit(clone.book, "x")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert clone.committed() == ENTRY
