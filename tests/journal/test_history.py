"""`journal.scrub --history` on real repositories: what leaked is found, taken out, and nothing else changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.cli import main
from runtime.journal import rewriting, vcs
from runtime.journal.book import BookError
from runtime.journal.history import search
from runtime.journal.objects import Repo
from tests.journal.conftest import FIRST, NOTE, SESSION

KEY = "Planted-Key-8412067395"
TOKEN = "sk-proj-PlantedToken0123456789abcdef"
LEAK = f'{FIRST}\n## 2026-03-02 09:00 — fuite\n{{"key": "{KEY}"}}\nexport OPENAI_API_KEY={TOKEN}\n'
WHO = {
    f"GIT_{role}_{what}": value
    for role, name in (("AUTHOR", "Ada"), ("COMMITTER", "Grace"))
    for what, value in (("NAME", name), ("EMAIL", f"{name.lower()}@example.org"), ("DATE", "2026-03-05T10:00:00-0500"))
}
Scrub = Callable[..., tuple[int, Any, str]]


class Tree:
    """A clone and its Git."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = path / "journal.md"

    def git(self, *words: str, given: str | None = None) -> str:
        env = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        command = ["git", "-C", str(self.path), *words]
        done = subprocess.run(command, env=env, input=given, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str, **files: str) -> str:
        for name, text in files.items():
            path = self.path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def holds(self, *values: str, reflogs: bool = False) -> list[str]:
        """The objects that refs, HEAD and index reach and that hold one of the values."""
        words = ["rev-list", "--objects", "--all", "HEAD", "--indexed-objects", *(["--reflog"] if reflogs else [])]
        names = [line.split()[0] for line in self.git(*words).splitlines()]
        every = subprocess.run(
            ["git", "-C", str(self.path), "cat-file", "--batch"],
            input="\n".join(names).encode(),
            capture_output=True,
            check=True,
        ).stdout
        return [value for value in values if value.encode() in every]


@pytest.fixture
def repo(tmp_path: Path) -> Tree:
    """Leaked on main in two versions, then removed; kept in a branch that was merged and thrown away, and in a tag."""
    path = tmp_path / "clone"
    path.mkdir()
    made = Tree(path)
    made.git("init", "-q", "-b", "main")
    made.commit("Begin", journal_md=FIRST, other_txt="kept", sub__a_txt="kept too")
    made.git("tag", "clean")
    made.commit("Leak", journal_md=LEAK)
    made.git("tag", "-a", "v1", "-m", "a tag")
    made.commit("Leak on", journal_md=LEAK + "\n" + NOTE)
    made.git("branch", "side")
    made.commit("Remove\n\nWith a body.", journal_md=FIRST + "\n" + NOTE)
    made.git("checkout", "-q", "side")
    made.commit("Aside", journal_md=f"{LEAK}\nla clé {KEY} sans guillemets\n", aside_txt="x")
    made.git("checkout", "-q", "main")
    made.git("merge", "-q", "-s", "ours", "-m", "Join", "side")
    made.commit("Go on", journal_md=FIRST + "\n" + NOTE + "\n" + SESSION)
    return made


@pytest.fixture
def scrub(capsys: pytest.CaptureFixture[str]) -> Scrub:
    def run(book: Path, *words: str) -> tuple[int, Any, str]:
        code = main(["journal.scrub", str(book), "--history", "--json", *words])
        said = capsys.readouterr()
        assert "Planted" not in said.out + said.err
        return code, json.loads(said.out) if said.out else None, said.err

    return run


def shape(tree: Tree) -> list[str]:
    """The history without its ids: who, when, what, which other files, how it is joined."""
    logged = tree.git("log", "--all", "--topo-order", "--format=%an %ae %ad %cn %ce %cd %B %(trailers)").splitlines()
    files = [
        tree.git("ls-tree", "-r", name, "--", "other.txt", "sub", "aside.txt")
        for name in tree.git("rev-list", "--all", "--topo-order").split()
    ]
    return [*logged, *files, str(len(tree.git("rev-list", "--all", "--merges").split()))]


def test_it_finds_what_leaked_and_where(repo: Tree, scrub: Scrub, capsys: pytest.CaptureFixture[str]) -> None:
    code, told, _ = scrub(repo.book)
    assert code == 2
    assert {leak["kind"] for leak in told["leaks"]} == {"webhook-key", "openai-key"}
    subjects = [repo.git("log", "-1", "--format=%s", one["id"]) for one in told["leaks"][0]["commits"]]
    assert subjects == ["Leak", "Leak on", "Aside"]
    assert not any(leak["pushed"] or leak["in_file"] for leak in told["leaks"])
    assert (told["written"], told["backup"]) == (False, None)
    assert main(["journal.scrub", str(repo.book), "--history"]) == 2
    said = capsys.readouterr().out
    assert "secrets.rotate webhook_key" in said
    assert "Planted" not in said


def test_it_takes_it_out_and_keeps_everything_else(repo: Tree, scrub: Scrub) -> None:
    before, files = shape(repo), repo.git("ls-files", "-s")
    clean, tagged = repo.git("rev-parse", "clean"), repo.git("cat-file", "tag", "v1").splitlines()
    code, told, _ = scrub(repo.book, "--write")
    assert code == 0, told
    assert repo.holds(KEY, TOKEN) == []
    assert shape(repo) == before
    assert repo.git("ls-files", "-s") == files
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("rev-parse", "clean") == clean, "what nothing leaked into keeps its id"
    assert repo.git("cat-file", "tag", "v1").splitlines()[1:] == tagged[1:]
    assert repo.git("rev-parse", "v1^{commit}") == repo.git("rev-list", "--all", "--grep=^Leak$")
    assert repo.git("show", "v1:journal.md").count("***") == 2
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert {ref["name"] for ref in told["refs"]} == {"refs/heads/main", "refs/heads/side", "refs/tags/v1"}
    assert repo.holds(KEY, reflogs=True) == [KEY], "as the message says: the reflogs still have it"
    assert any("reflog expire" in step for step in told["after"])
    assert scrub(repo.book)[0] == 0
    assert scrub(repo.book, "--write")[1]["backup"] is None


def test_the_backup_is_whole_private_and_ignored(repo: Tree, scrub: Scrub, tmp_path: Path) -> None:
    before = repo.git("for-each-ref")
    backup = Path(scrub(repo.book, "--write")[1]["backup"])
    assert backup.stat().st_mode & 0o777 == 0o600
    repo.git("check-ignore", str(backup))
    back = tmp_path / "back"
    subprocess.run(["git", "clone", "-q", "--mirror", str(backup), str(back)], check=True, capture_output=True)
    assert Tree(back).git("for-each-ref") == before


def test_a_dirty_work_tree_stays_as_it_is(repo: Tree, scrub: Scrub) -> None:
    (repo.path / "other.txt").write_text("changed")
    (repo.path / "new.txt").write_text("untracked")
    (repo.path / "staged.txt").write_text("staged")
    repo.git("add", "staged.txt")
    repo.book.write_text(repo.book.read_text() + "\nen cours\n")
    assert scrub(repo.book, "--write")[0] == 0
    assert repo.git("status", "--porcelain").splitlines() == [
        "M journal.md",
        " M other.txt",
        "A  staged.txt",
        "?? new.txt",
    ]
    assert repo.book.read_text().endswith("\nen cours\n")


def test_what_is_staged_and_what_is_in_the_file_is_masked_too(repo: Tree, scrub: Scrub) -> None:
    repo.book.write_text(LEAK)
    repo.git("add", "journal.md")
    repo.book.write_text(LEAK + "\nplus\n")
    _, told, _ = scrub(repo.book)
    assert told["leaks"][0]["in_file"] is True
    assert told["leaks"][0]["in_index"] is True
    code, told, _ = scrub(repo.book, "--write")
    assert code == 0
    assert repo.holds(KEY, TOKEN) == []
    assert KEY not in repo.book.read_text()
    assert repo.book.read_text().endswith("\nplus\n")
    assert KEY in Path(told["file_backup"]).read_text()
    assert "***" in repo.git("show", ":journal.md")


def pushed(repo: Tree, tmp_path: Path) -> Tree:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "remote")], check=True)
    repo.git("remote", "add", "origin", str(tmp_path / "remote"))
    repo.git("push", "-q", "--tags", "origin", "main", "side")
    repo.git("branch", "-q", "--set-upstream-to=origin/main", "main")
    return Tree(tmp_path / "remote")


def test_what_was_pushed_is_told_with_the_commands_that_mend_the_remote(
    repo: Tree, scrub: Scrub, tmp_path: Path
) -> None:
    remote = pushed(repo, tmp_path)
    assert all(leak["pushed"] for leak in scrub(repo.book)[1]["leaks"])
    there = remote.git("for-each-ref")
    code, told, _ = scrub(repo.book, "--write")
    assert code == 0
    assert remote.git("for-each-ref") == there, "we never push"
    assert repo.holds(KEY, TOKEN) == [], "nor is it reached by what remembers the remote"
    for command in told["push"]:
        assert command.startswith(("git push --force-with-lease=", "git push --force origin refs/tags/"))
        repo.git(*command.split()[1:])
    assert remote.holds(KEY, TOKEN) == []
    assert repo.git("rev-parse", "origin/main") == repo.git("rev-parse", "main")


def test_a_remote_that_went_on_is_not_overwritten(repo: Tree, scrub: Scrub, tmp_path: Path) -> None:
    pushed(repo, tmp_path)
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(tmp_path / "remote"), str(other)], check=True)
    Tree(other).commit("Meanwhile", new_txt="x")
    Tree(other).git("push", "-q", "origin", "main")
    told = scrub(repo.book, "--write")[1]
    with pytest.raises(subprocess.CalledProcessError):
        repo.git(*told["push"][0].split()[1:])


def test_a_sync_never_brings_back_what_was_taken_out(repo: Tree, scrub: Scrub, tmp_path: Path) -> None:
    """Neither when all of it was pushed, nor when somebody went on from what leaked."""
    pushed(repo, tmp_path)
    assert vcs.sync(repo.book).code in ("", None)
    repo.commit("Not pushed", journal_md=LEAK + "\nplus\n")
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(tmp_path / "remote"), str(other)], check=True)
    Tree(other).commit("Meanwhile", journal_md=FIRST + "\n" + NOTE + "\n" + SESSION + "\n## 2026-03-09 10:00 — x\n")
    told = scrub(repo.book, "--write")[1]
    assert vcs.sync(repo.book).code == "rewritten-here"
    Tree(other).git("push", "-q", "origin", "main")
    assert vcs.sync(repo.book).code == "rewritten-here"
    assert KEY not in repo.git("log", "-p", "HEAD", "--", "journal.md")
    with pytest.raises(subprocess.CalledProcessError):
        repo.git(*told["push"][0].split()[1:])


def test_a_value_elsewhere_is_named_and_not_touched(repo: Tree, scrub: Scrub) -> None:
    repo.commit("Spread", other_txt=f"export KEY={KEY}\n")
    code, told, _ = scrub(repo.book, "--write")
    assert code == 1
    assert [one.split()[-1] for one in told["leftovers"]] == ["other.txt"]
    assert KEY in (repo.path / "other.txt").read_text()


def test_a_stash_and_a_detached_head_go_with_the_rest(repo: Tree, scrub: Scrub) -> None:
    repo.book.write_text(LEAK + "stashed")
    repo.git("stash", "-q")
    repo.git("checkout", "-q", "--detach", "side")
    assert scrub(repo.book, "--write")[0] == 0
    assert repo.holds(KEY, TOKEN) == []
    assert repo.git("rev-parse", "HEAD") == repo.git("rev-parse", "side")
    assert "stashed" in repo.git("show", "stash@{0}:journal.md")


def test_a_log_book_in_a_folder_and_a_file_that_is_no_text(tmp_path: Path, scrub: Scrub) -> None:
    made = Tree(tmp_path / "r")
    made.path.mkdir()
    made.git("init", "-q", "-b", "main")
    made.commit("Begin", deep__journal_md=LEAK, journal_md=NOTE)
    (made.path / "deep" / "journal.md").write_bytes(b"\0\xff\r\n" + LEAK.encode())
    made.commit("Bytes")
    assert scrub(made.path / "deep" / "journal.md", "--write")[0] == 0
    assert made.holds(KEY, TOKEN) == []
    assert subprocess.check_output(["git", "-C", str(made.path), "show", "main:deep/journal.md"])[:4] == b"\0\xff\r\n"


def test_it_refuses_in_the_middle_of_something(repo: Tree, scrub: Scrub) -> None:
    before = repo.git("for-each-ref")
    repo.git("checkout", "-q", "-b", "conflict", "HEAD~1")
    repo.commit("Other", journal_md=f"{FIRST}\n{NOTE}\nautre chose\n")
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("rebase", "main")
    code, _, said = scrub(repo.book, "--write")
    assert code == 1
    assert "a rebase is under way" in said
    repo.git("rebase", "--abort")
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-D", "conflict")
    assert repo.git("for-each-ref") == before


@pytest.mark.parametrize("how", ["shallow", "worktree", "no repository"])
def test_it_refuses_where_it_cannot_be_whole(repo: Tree, scrub: Scrub, tmp_path: Path, how: str) -> None:
    book = repo.book
    if how == "shallow":
        words = ["git", "clone", "-q", "--depth=2", "--no-single-branch", f"file://{repo.path}", str(tmp_path / "s")]
        subprocess.run(words, check=True)
        book = tmp_path / "s" / "journal.md"
    elif how == "worktree":
        repo.git("worktree", "add", "-q", str(tmp_path / "w"), "side")
    else:
        book = tmp_path / "journal.md"
        book.write_text(LEAK)
    code, _, said = scrub(book, "--write")
    assert code == 1
    assert "  -> " in said


def test_no_repository_is_needed_without_history(tmp_path: Path) -> None:
    book = tmp_path / "journal.md"
    book.write_text(LEAK)
    with pytest.raises(BookError, match="in no Git repository"):
        Repo.of(book)
    assert main(["journal.scrub", str(book)]) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.journal import objects, rewriting, history
step, calls = int(sys.argv[2]), 0
git = objects.Repo.git
def counted(self, *words, **how):
    global calls
    calls += 1
    if calls == step:
        os.kill(os.getpid(), signal.SIGKILL)
    return git(self, *words, **how)
objects.Repo.git = counted
rewriting.rewrite(history.search(Path(sys.argv[1])))
print(calls)
"""


def test_killed_at_any_step_the_refs_are_all_old_or_all_new(repo: Tree, scrub: Scrub) -> None:
    old = repo.git("for-each-ref")
    step = 0
    while True:
        step += 3
        done = subprocess.run([sys.executable, "-c", KILLED, repo.book, str(step)], capture_output=True, check=False)
        if done.returncode == 0:
            break
        if repo.git("for-each-ref") != old:
            assert repo.holds(KEY, TOKEN) == []
            break
    assert step > 10
    assert scrub(repo.book, "--write")[0] == 0
    assert repo.holds(KEY, TOKEN) == []


def test_refs_that_were_half_moved_go_back(repo: Tree, scrub: Scrub) -> None:
    """As if the power had gone while Git renamed one ref after another."""
    old = repo.git("for-each-ref")
    main_, side = repo.git("rev-parse", "main"), repo.git("rev-parse", "side")
    note = Repo.of(repo.book).place(rewriting.NOTE)
    note.write_text(json.dumps([("refs/heads/main", main_, side), ("refs/heads/side", side, main_)]))
    repo.git("update-ref", "refs/heads/main", side)
    _, _, said = scrub(repo.book)
    assert "was cut off was taken back" in said
    assert repo.git("for-each-ref") == old
    assert not note.exists()


def test_many_versions_are_looked_at_in_little_time(repo: Tree) -> None:
    """Each piece once, however many versions have it."""
    stream = list[str]()
    text = ""
    for number in range(150):
        text += FIRST.replace("2000", str(number)) * 4 + "\n"
        data = text + (LEAK if number == 70 else "")
        stream.append(
            f"commit refs/heads/long\ncommitter A <a@b> {1_700_000_000 + number} +0000\ndata 1\nx\n"
            f"M 100644 inline journal.md\ndata {len(data.encode())}\n{data}\n"
        )
    repo.git("fast-import", "--quiet", given="".join(stream))
    begun = time.monotonic()
    found = search(repo.book)
    assert found.versions > 150
    assert {leak.kind for leak in found.leaks} == {"webhook-key", "openai-key"}
    assert time.monotonic() - begun < 20
