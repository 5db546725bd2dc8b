"""Two machines and a remote: real repositories, real pushes, and whatever can be in the way of them."""

from __future__ import annotations

import json
import multiprocessing
import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from runtime.journal import git, leftovers, pending, sync, vcs
from runtime.journal.book import parse
from runtime.journal.replace import append
from tests.journal.git_kit import Clone, run


def entry(minute: int, words: str) -> str:
    return f"## 2026-03-01 10:{minute:02} — {words}\ncorps de {words}\n"


def titles(path: Path) -> list[str]:
    return [one.title for one in parse(path.read_bytes()).entries()]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """What stands for GitHub."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", tmp_path / "hub.git"], check=True)
    return tmp_path / "hub.git"


@pytest.fixture
def laptop(hub: Path, tmp_path: Path) -> Clone:
    clone = Clone.of(hub, tmp_path / "laptop")
    clone.write("other", "one\n")
    clone.git("add", "-A")
    clone.save(entry(0, "zero"))
    clone.git("push", "-qu", "origin", "main")
    return clone


@pytest.fixture
def desktop(laptop: Clone, hub: Path, tmp_path: Path) -> Clone:
    return Clone.of(hub, tmp_path / "desktop")


@pytest.fixture
def host(laptop: Clone, hub: Path, tmp_path: Path) -> Clone:
    """A log book that services append to, beside a bare repository, before its first sync."""
    root = tmp_path / "host"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", root / ".git"], check=True)
    run("remote", "add", "origin", str(hub), cwd=root)
    (root / "journal.md").touch(0o640)
    return Clone(root)


def synced(clone: Clone) -> sync.Synced:
    done = vcs.sync(clone.book)
    assert done.ok, done
    return done


def test_what_is_committed_goes_to_the_remote(laptop: Clone, hub: Path) -> None:
    laptop.add(entry(1, "un"))
    vcs.commit(laptop.book, "un")
    assert synced(laptop).pushed == 1
    assert run("show", "main:journal.md", cwd=hub) + "\n" == laptop.book.read_text()
    assert synced(laptop) == sync.Synced("synced")
    assert pending.read(laptop.root / ".git") is None


def test_two_clones_that_append_never_conflict(laptop: Clone, desktop: Clone) -> None:
    for clone, minutes in ((laptop, (1, 4)), (desktop, (2, 3))):
        for minute in minutes:
            clone.add(entry(minute, str(minute)))
            vcs.commit(clone.book, f"{minute}")
    synced(laptop)
    assert (synced(desktop).pushed, synced(laptop).received) == (2, 2)
    assert titles(laptop.book) == titles(desktop.book) == ["zero", "1", "2", "3", "4"]
    assert laptop.git("status", "--short") == desktop.git("status", "--short") == ""
    assert "Merge" not in laptop.git("log", "--format=%s")
    assert laptop.git("log", "--format=%s").split("\n") == ["3", "2", "4", "1", entry(0, "zero").split("\n")[0]]


def test_a_plain_git_pull_does_the_right_thing_too(laptop: Clone, desktop: Clone) -> None:
    synced(desktop)
    laptop.save(entry(1, "un"))
    laptop.git("push", "-q")
    desktop.save(entry(2, "deux"))
    desktop.git("pull", "-q", "--rebase")
    assert titles(desktop.book) == ["zero", "un", "deux"]


def test_other_files_committed_here_are_rebased_too(laptop: Clone, desktop: Clone) -> None:
    laptop.save(entry(1, "un"))
    laptop.git("push", "-q")
    desktop.save(entry(2, "deux"))
    desktop.write("code", "x\n")
    desktop.git("add", "code")
    desktop.git("commit", "-qm", "code")
    assert synced(desktop).pushed == 2
    assert titles(desktop.book) == ["zero", "un", "deux"]
    assert not (desktop.root / ".git" / "worktrees").exists()


def test_a_conflict_elsewhere_is_told_by_name_and_nothing_is_touched(laptop: Clone, desktop: Clone) -> None:
    for clone, text in ((laptop, "laptop\n"), (desktop, "desktop\n")):
        clone.write("other", text)
        clone.git("commit", "-qam", text)
    laptop.git("push", "-q")
    before = desktop.git("rev-parse", "HEAD")
    done = vcs.sync(desktop.book)
    assert (done.ok, done.code) == (False, "conflict")
    assert "other was changed here and at the remote" in done.message
    assert desktop.git("rev-parse", "HEAD") == before
    assert (desktop.root / "other").read_text() == "desktop\n"
    waiting = pending.read(desktop.root / ".git")
    assert waiting
    assert (waiting.attempts, waiting.is_due) == (1, False)


def test_edits_that_are_not_committed_stay_as_they_were(laptop: Clone, desktop: Clone) -> None:
    laptop.write("other", "one\ntwo\n")
    laptop.write("added", "new\n")
    laptop.git("add", "-A")
    laptop.git("commit", "-qm", "other")
    laptop.git("push", "-q")
    desktop.write("other", "zero\none\n")
    desktop.write("mine", "untracked\n")
    synced(desktop)
    assert (desktop.root / "other").read_text() in ("zero\none\ntwo\n", "zero\none\n")
    assert "zero" in desktop.git("stash", "list", "-p") + (desktop.root / "other").read_text()
    assert (desktop.root / "mine").exists()
    assert (desktop.root / "added").exists()


def test_edits_that_no_longer_fit_are_kept_and_it_says_where(laptop: Clone, desktop: Clone) -> None:
    laptop.write("other", "laptop\n")
    laptop.git("commit", "-qam", "other")
    laptop.git("push", "-q")
    desktop.write("other", "desktop\n")
    done = synced(desktop)
    assert "your changes to other do not fit" in done.note
    shown = done.note.split("git stash show -p ")[1]
    assert "+desktop" in desktop.git("stash", "show", "-p", shown)
    assert (desktop.root / "other").read_text() == "laptop\n"
    assert synced(desktop).note == ""
    assert len(desktop.git("stash", "list").split("\n")) == 1


def test_an_untracked_file_in_the_way_is_named(laptop: Clone, desktop: Clone) -> None:
    for name in ("venv", "same"):
        (laptop.root / name).mkdir()
        laptop.write(f"{name}/pyvenv.cfg", "theirs\n")
    laptop.git("add", "-Af")
    laptop.git("commit", "-qm", "venv")
    laptop.git("push", "-q")
    for name, text in (("venv", "mine\n"), ("same", "theirs\n")):
        (desktop.root / name).mkdir()
        desktop.write(f"{name}/pyvenv.cfg", text)
    done = vcs.sync(desktop.book)
    assert done.code == "in-the-way"
    assert "venv/pyvenv.cfg" in done.message
    assert "same" not in done.message
    assert f"mv {desktop.root}/venv" in done.hint
    (desktop.root / "venv").rename(desktop.root / "venv.old")
    synced(desktop)


def test_the_host_s_first_sync_keeps_what_services_wrote(host: Clone, laptop: Clone) -> None:
    append(host.book, entry(1, "alerte").encode())
    inode = host.book.stat()
    synced(host)
    assert titles(host.book) == ["zero", "alerte"]
    assert host.book.stat().st_mode == inode.st_mode
    synced(laptop)
    assert titles(laptop.book) == ["zero", "alerte"]
    assert (laptop.root / "other").exists()
    assert not list(host.root.glob("*.bak"))


def test_saved_on_the_host_before_it_ever_saw_the_remote(host: Clone, laptop: Clone) -> None:
    append(host.book, entry(1, "alerte").encode())
    assert vcs.commit(host.book, "alerte")
    synced(host)
    synced(laptop)
    assert titles(host.book) == titles(laptop.book) == ["zero", "alerte"]


def test_an_empty_remote_and_a_branch_that_is_not_there_yet(tmp_path: Path, hub: Path) -> None:
    clone = Clone.of(hub, tmp_path / "first")
    clone.git("checkout", "-qb", "notes")
    assert synced(clone).pushed == 0
    clone.add(entry(1, "un"))
    assert synced(clone).pushed == 1
    assert run("branch", "--list", cwd=hub).split() == ["notes"]


def test_without_a_remote_the_log_book_stays_here(tmp_path: Path) -> None:
    clone = Clone.init(tmp_path / "alone")
    clone.add(entry(1, "un"))
    done = vcs.sync(clone.book)
    assert (done.outcome, clone.committed()) == ("no-remote", clone.book.read_bytes())
    clone.add(entry(2, "deux"))
    vcs.commit(clone.book, "deux")
    sync.later(clone.book)  # comes to an end
    assert pending.read(clone.root / ".git") is None


KEY = "sk-" + "Zz91" * 8


def test_a_history_rewritten_upstream_keeps_masked_what_was_masked(laptop: Clone, host: Clone, desktop: Clone) -> None:
    laptop.add(entry(1, f"fuite {KEY}"))
    synced(laptop)
    synced(host)
    synced(desktop)
    append(host.book, entry(3, "alerte").encode())
    assert vcs.commit(host.book, "alerte")
    append(desktop.book, entry(2, "bureau").encode())
    masked = laptop.book.read_text().replace(KEY, "***")
    laptop.git("checkout", "-q", "--orphan", "clean")  # no commit in common any more
    laptop.book.write_text(masked)
    laptop.git("add", "-A")
    laptop.git("commit", "-qm", "clean")
    laptop.git("branch", "-qM", "clean", "main")
    laptop.git("push", "-qf", "origin", "main")
    for clone in (host, desktop, laptop):
        synced(clone)
    synced(host)
    synced(desktop)
    for clone in (host, desktop, laptop):
        assert KEY not in clone.book.read_text()
        assert titles(clone.book) == ["zero", "fuite ***", "bureau", "alerte"]
    assert KEY not in laptop.git("log", "-p", "origin/main")
    assert not list(host.root.glob("*.bak"))


def test_a_history_rewritten_here_is_never_merged_with_what_it_was(laptop: Clone) -> None:
    laptop.add(entry(1, f"fuite {KEY}"))
    synced(laptop)
    laptop.book.write_text(laptop.book.read_text().replace(KEY, "***"))
    laptop.git("commit", "-qa", "--amend", "-m", "clean")
    done = vcs.sync(laptop.book)
    assert done.code == "rewritten-here"
    assert "--force-with-lease origin" in done.hint
    assert KEY not in laptop.book.read_text()
    laptop.git(*done.hint.split("git -C ")[1].partition(";")[0].split(" ")[1:])
    assert synced(laptop).pushed == 0


def test_a_remote_that_went_back_gets_its_entries_again(laptop: Clone, host: Clone, hub: Path) -> None:
    laptop.add(entry(1, "un"))
    synced(laptop)
    run("update-ref", "refs/heads/main", "main~1", cwd=hub)
    synced(laptop)
    assert "un" in run("show", "main:journal.md", cwd=hub)


TROUBLE = [
    ("ssh: Could not resolve hostname github.com: Name or service not known", "offline", "cannot be reached"),
    ("ssh: connect to host github.com port 22: Connection timed out", "offline", "cannot be reached"),
    ("git@github.com: Permission denied (publickey).", "key-refused", "refuses this machine's SSH key"),
    ("ERROR: Repository not found.", "not-found", "no such repository"),
    ("ERROR: The key you are authenticating with has been marked as read only.", "read-only", "not write"),
    ("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", "host-key-changed", "another host key"),
    ("Host key verification failed.", "host-key-unknown", "not known here"),
    ("fatal: something new", "remote", "something new"),
]


@pytest.mark.parametrize(("said", "code", "words"), TROUBLE, ids=[code for _, code, _ in TROUBLE])
def test_each_trouble_is_told_and_waits(
    laptop: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, code: str, words: str
) -> None:
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\necho {shlex.quote(said)} >&2\nexit 255\n")
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    laptop.git("remote", "set-url", "origin", "git@github.com:ann/notes.git")
    laptop.add(entry(1, "un"))
    done = vcs.sync(laptop.book)
    assert (done.ok, done.code) == (False, code)
    assert words in done.message
    assert done.hint
    waiting = pending.read(laptop.root / ".git")
    assert waiting
    assert (waiting.code, waiting.attempts) == (code, 1)
    assert laptop.committed() == laptop.book.read_bytes(), "committed here all the same"


def test_each_attempt_waits_longer_and_the_timer_waits_its_turn(laptop: Clone, hub: Path) -> None:
    git_dir = laptop.root / ".git"
    hub.rename(hub.with_name("away"))
    laptop.add(entry(1, "un"))
    waits = []
    for _ in range(3):
        vcs.sync(laptop.book)
        left = pending.read(git_dir)
        assert left
        waits.append(left.attempts)
    assert waits == [1, 2, 3]
    assert sync.due(laptop.book) == 0, "not its turn: nothing is tried"
    hub.with_name("away").rename(hub)
    synced(laptop)
    assert pending.read(git_dir) is None


def test_the_timer_says_to_others_since_when_something_waits(laptop: Clone, hub: Path) -> None:
    told = laptop.book.parent / pending.TOLD
    assert sync.due(laptop.book) == 0 and not told.exists(), "a folder for it is the role's to make"
    told.parent.mkdir()
    sync.due(laptop.book)
    assert json.loads(told.read_text())["since"] is None
    hub.rename(hub.with_suffix(".away"))
    laptop.save(entry(1, "unpushed"))
    sync.due(laptop.book)
    said = json.loads(told.read_text())
    waiting = pending.read(laptop.book.parent / ".git")
    assert waiting is not None and said["since"] == waiting.since
    assert set(said) == {"at", "since", "code"}, "no address, no message"
    assert told.stat().st_mode & 0o777 == 0o644


def test_a_protected_branch(laptop: Clone, hub: Path) -> None:
    hook = hub / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'error: GH006: Protected branch update failed for refs/heads/main.' >&2\nexit 1\n")
    hook.chmod(0o755)
    laptop.add(entry(1, "un"))
    done = vcs.sync(laptop.book)
    assert done.code == "protected"
    assert "nobody pushes to it directly" in done.message


def test_a_password_in_the_remote_s_address_is_never_shown(laptop: Clone) -> None:
    laptop.git("remote", "set-url", "origin", "https://ann:hunter2hunter2@127.0.0.1:9/x.git")
    done = vcs.sync(laptop.book)
    assert done.code == "offline"
    assert (
        "hunter2"
        not in json.dumps([done.message, done.hint]) + (laptop.root / ".git/trading-ops-sync.json").read_text()
    )


def test_later_returns_at_once_and_the_push_happens(laptop: Clone, hub: Path) -> None:
    laptop.add(entry(1, "un"))
    vcs.commit(laptop.book, "un")
    start = time.monotonic()
    vcs.sync_later(laptop.book)
    assert time.monotonic() - start < 1
    head = laptop.git("rev-parse", "HEAD")
    deadline = time.monotonic() + 20
    while run("rev-parse", "main", cwd=hub) != head:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _append(path: Path, first: int, count: int) -> None:
    for number in range(first, first + count):
        append(path, f"## 2026-03-01 12:00 — n{number:05}\ncorps {number}\n".encode(), sync=False)


@pytest.mark.parametrize(("kind", "each"), [("host", 1000), ("desktop", 200)])
def test_appending_while_others_push_loses_nothing(
    request: pytest.FixtureRequest, laptop: Clone, kind: str, each: int
) -> None:
    """Eight processes append to one log book while it is synced with another that grows too."""
    clone: Clone = request.getfixturevalue(kind)
    synced(clone)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(clone.book, n * each, each)) for n in range(8)]
    for writer in writers:
        writer.start()
    rounds = 0
    while any(writer.is_alive() for writer in writers) or rounds < 3:
        laptop.add(entry(rounds % 60, f"portable {rounds}"))
        synced(laptop)
        synced(clone)
        rounds += 1
    for writer in writers:
        writer.join()
    synced(clone)
    synced(laptop)
    found = titles(laptop.book)
    assert clone.book.read_bytes() == laptop.book.read_bytes()
    assert sorted(title for title in found if title[0] == "n") == [f"n{n:05}" for n in range(8 * each)]
    assert [title for title in found if title[:2] == "po"] == [f"portable {n}" for n in range(rounds)]


LINES = "\n".join("abcdefghij") + "\n"


def _killed_at(path: Path, limit: int) -> bool:
    """A sync that dies with its `limit`th git, before or after that one did its work; whether it came to that."""
    child = os.fork()
    if not child:
        _sync_and_die(path, limit)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _sync_and_die(path: Path, limit: int) -> NoReturn:
    count, real = 0, git.run

    def run_(*arguments: Any) -> git.Done:
        nonlocal count
        count += 1
        if count == limit and limit % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        done = real(*arguments)
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    git.run = run_  # type: ignore[assignment]
    sync.sync(path)
    os._exit(0)


def _diverged(clone: Clone, laptop: Clone) -> None:
    """Both have something new, and on a work tree another file is being edited too."""
    if clone.root.name == "desktop":
        laptop.write("other", LINES)
        laptop.git("commit", "-qam", "letters")
    synced(laptop)
    synced(clone)
    laptop.add(entry(1, "portable"))
    if clone.root.name == "desktop":
        laptop.write("other", LINES.replace("j", "J"))
        laptop.git("commit", "-qam", "letter")
        clone.write("other", LINES.replace("a", "A"))
    synced(laptop)
    append(clone.book, entry(2, "ici").encode())


@pytest.mark.parametrize("kind", ["host", "desktop"])
def test_killed_at_every_step_the_next_one_finishes(
    request: pytest.FixtureRequest, laptop: Clone, kind: str, tmp_path: Path, hub: Path
) -> None:
    clone: Clone = request.getfixturevalue(kind)
    _diverged(clone, laptop)
    places = [clone.root, hub]
    for place in places:
        shutil.copytree(place, tmp_path / "kept" / place.name, symlinks=True)
    steps = 0
    while _killed_at(clone.book, limit := 1 + steps * 5):
        steps += 1
        synced(clone)
        assert titles(clone.book) == ["zero", "portable", "ici"], limit
        assert clone.book.read_text() == run("show", "main:journal.md", cwd=hub) + "\n"
        assert not (clone.root / ".git" / "trading-ops-rebase").exists()
        if kind == "desktop":
            assert (clone.root / "other").read_text() == LINES.replace("a", "A").replace("j", "J"), limit
            assert clone.git("stash", "list") == ""
            assert clone.git("status", "--short") == " M other"
        for place in places:
            shutil.rmtree(place)
            shutil.copytree(tmp_path / "kept" / place.name, place, symlinks=True)
    assert steps > 8


def test_a_lock_that_a_killed_git_left_is_cleared_and_a_living_one_s_is_not(laptop: Clone) -> None:
    child = os.fork()
    if child == 0:
        with leftovers.marked(laptop.root / ".git", "syncing"):
            (laptop.root / ".git" / "refs" / "heads" / "main.lock").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with (laptop.root / ".git" / "config.lock").open("w"):
        laptop.add(entry(1, "un"))
        assert vcs.sync(laptop.book).code in ("", "locked")
        assert not (laptop.root / ".git" / "refs" / "heads" / "main.lock").exists()
        assert (laptop.root / ".git" / "config.lock").exists()
    (laptop.root / ".git" / "config.lock").unlink()
    synced(laptop)


def test_a_file_that_is_not_there_is_no_log_book_without_a_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync.command(tmp_path / "jurnal.md", as_json=False) == 1
    said = capsys.readouterr()
    assert said.err == f"error: {tmp_path}/jurnal.md does not exist\n  -> which log book is meant? --file PATH\n"
    (tmp_path / "journal.md").write_text(entry(0, "zero"))
    assert sync.command(tmp_path / "journal.md", as_json=False) == 0
    assert "lies in no git repository" in capsys.readouterr().out
