"""Git for the log book: `commit` it here at once, and bring it to the remote in the background.

Only the log book is committed, whatever else is changed, staged or under way in the work tree: the commit is put
together from git's own parts, and the work tree's other files and index entries are never looked at.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runtime import clock
from runtime.journal import pending
from runtime.journal.git import Repo, VcsError, find, identity
from runtime.journal.replace import locked
from runtime.settings import environment

if TYPE_CHECKING:
    from runtime.journal.sync import Synced

__all__ = ["VcsError", "commit", "record", "sync", "sync_later"]

_PATIENCE = 3.0  # seconds for another git to finish with the index


def commit(path: Path, message: str) -> str | None:
    """Commit this log book and nothing else, here; the id, or None when it lies in no repository or did not change.

    Raises VcsError while a rebase or a merge is under way (it is committed by the next sync then), and when git fails.
    """
    repo = find(path)
    if repo is None or not repo.path.exists():
        return None
    try:
        with repo.held():
            return record(repo, message)
    except VcsError as error:
        pending.note(repo.git_dir, error.code, str(error), error.hint)
        raise
    except OSError as error:
        raise VcsError(f"{path}: {error.strerror or error}") from error


def record(repo: Repo, message: str) -> str | None:
    """The same, by one who holds the repository."""
    repo.check_free()
    branch = repo.branch
    head = repo.commit_of("HEAD")
    mode, old = entry(repo, head)
    if not old and repo.ask("check-ignore", "--quiet", repo.name).code == 0:
        return None
    blob = store(repo, _content(repo.path))
    if blob == old:
        return None
    new = commit_tree(repo, tree_with(repo, head, mode, blob), (head,) if head else (), message)
    stage(repo, mode, blob)
    repo.do("update-ref", "-m", "trading-ops: the log book", f"refs/heads/{branch}", new, head)
    pending.wait(repo.git_dir, "committed, not pushed yet")
    return new


def entry(repo: Repo, commit: str) -> tuple[str, str]:
    """(mode, blob) of the log book in a commit; ("100644", "") when it is not in it."""
    line = repo.do("ls-tree", "--full-tree", commit, "--", repo.name) if commit else ""
    mode, _, blob = line.partition("\t")[0].split(" ") if line else ("100644", "", "")
    return mode, blob


def store(repo: Repo, content: bytes) -> str:
    """The id of `content` as a blob: as it is, without a filter for line ends."""
    return repo.do("hash-object", "-w", "--stdin", data=content)


def tree_with(repo: Repo, commit: str, mode: str, blob: str) -> str:
    """The tree of `commit` ("": an empty one) with another log book."""
    index = {"GIT_INDEX_FILE": str(repo.git_dir / f"trading-ops.index.{os.getpid()}")}
    try:
        repo.do("read-tree", commit or "--empty", env=index)
        repo.do("update-index", "--add", "--cacheinfo", f"{mode},{blob},{repo.name}", env=index)
        return repo.do("write-tree", env=index)
    finally:
        Path(index["GIT_INDEX_FILE"]).unlink(missing_ok=True)


def commit_tree(
    repo: Repo, tree: str, parents: tuple[str, ...], message: str, env: dict[str, str] | None = None
) -> str:
    """The id of a new commit. `env` may say who wrote it and when."""
    options = [word for parent in parents for word in ("-p", parent)]
    return repo.do(*identity(repo), "commit-tree", tree, *options, "-F", "-", data=message.encode(), env=env)


def stage(repo: Repo, mode: str, blob: str) -> None:
    """The work tree's index shall have it too: the next commit of a person would take it back otherwise."""
    if repo.bare:
        return
    deadline = clock.steady() + _PATIENCE
    while True:
        try:
            repo.do("update-index", "--add", "--cacheinfo", f"{mode},{blob},{repo.name}")
            return
        except VcsError as error:
            if error.code != "locked" or clock.steady() > deadline:
                hint = f"when no git is at work there: rm {repo.git_dir}/index.lock; then ./inv journal.sync"
                raise VcsError(str(error), hint if error.code == "locked" else error.hint, error.code) from error
            time.sleep(0.05)


def sync_later(path: Path) -> None:
    """Have a process of its own push it; returns at once, never raises. What fails is tried again, or waits."""
    with suppress(OSError, VcsError):
        if find(path) is None:
            return
        words = [sys.executable, "-P", "-m", "runtime.journal.sync", "--later", str(path.resolve())]
        void = os.open(os.devnull, os.O_RDWR)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, void, fd) for fd in (0, 1, 2)]
            os.posix_spawn(sys.executable, words, _environment(), file_actions=actions, setsid=True)
        finally:
            os.close(void)


def _environment() -> dict[str, str]:
    """The code that runs now is the code that pushes, from wherever it was started."""
    return {**environment(), "PYTHONPATH": str(Path(__file__).parents[2])}


def _content(path: Path) -> bytes:
    """Whole entries: nobody is in the middle of writing one."""
    with locked(path):
        return path.read_bytes()


def sync(path: Path) -> Synced:
    """Bring it to the remote now, and say what happened. Never raises for what git or the network refuse."""
    from runtime.journal.sync import sync as run  # that one stands on this module

    return run(path)
