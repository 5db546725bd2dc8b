"""Putting what was committed here on top of what the remote has, without touching the work tree."""

from __future__ import annotations

from dataclasses import replace

from runtime.journal.git import NETWORK, Repo, VcsError, identity
from runtime.journal.merge import merged
from runtime.journal.remote import Remote
from runtime.journal.rewriting import TAKEN_OUT
from runtime.journal.vcs import commit_tree, entry, store, tree_with

_PLACE = "trading-ops-rebase"


def content(repo: Repo, commit: str) -> bytes:
    """The log book in a commit; empty when it is not in it."""
    _, blob = entry(repo, commit)
    return repo.read("cat-file", "blob", blob) if blob else b""


def is_in(repo: Repo, old: str, new: str) -> bool:
    """Whether `new` has `old` in its history."""
    return repo.ask("merge-base", "--is-ancestor", old, new).code == 0


def common(repo: Repo, remote: Remote, head: str, upstream: str) -> str:
    """The last commit that both sides had; "" when they never met. Raises VcsError when nobody can tell.

    After a rewritten history (a secret was taken out of it) that is the old one's: what was masked stays masked.
    """
    shared = repo.ask("merge-base", head, upstream).text
    if shared == upstream:
        return shared  # also where the remote went back to an older commit: what it lost, it gets again
    fork = repo.ask("merge-base", "--fork-point", remote.tracking, head).text
    for known in (repo.commit_of(remote.kept), fork):
        if known and known != shared and is_in(repo, known, head) and (not shared or is_in(repo, shared, known)):
            return known
    if shared or all(_touches(repo, one) <= {repo.name} for one in _ours(repo, "", head)):
        return shared
    hint = f"look at both: git -C {repo.top} log --oneline --graph --all; then git rebase --onto {remote.tracking}"
    raise VcsError(f"{repo.top} and {remote.url} have no commit in common", hint, "unrelated")


def check_not_rewritten(repo: Repo, remote: Remote, head: str, upstream: str) -> None:
    """Raises VcsError when somebody took commits out of the history here, and the remote still has them.

    To merge the two would bring everything back, a masked secret too.
    """
    known = repo.commit_of(remote.kept)
    if known and is_in(repo, known, upstream) and not is_in(repo, known, head) and not is_in(repo, head, upstream):
        raise _rewritten(repo, remote)
    for old in _taken_out(repo):
        shared = repo.ask("merge-base", old, upstream).text
        if shared and not is_in(repo, shared, head):
            raise _rewritten(repo, remote)


def _taken_out(repo: Repo) -> list[str]:
    """What branches were before `journal.scrub --history` took secrets out of them."""
    path = repo.top / repo.do("rev-parse", "--git-path", TAKEN_OUT)
    return path.read_text().split() if path.exists() else []


def _rewritten(repo: Repo, remote: Remote) -> VcsError:
    away = f"git -C {repo.top} push --force-with-lease {remote.name} HEAD:{remote.branch}"
    hint = f"if you meant it: {away}; if not: git -C {repo.top} reset --keep {remote.tracking}"
    return VcsError(f"the history here was rewritten; {remote.url} has it as it was", hint, "rewritten-here")


def replayed(repo: Repo, base: str, head: str, upstream: str) -> str:
    """The commit that has `upstream` and then everything from `base` to `head`. Raises VcsError on a conflict."""
    commits = _ours(repo, base, head)
    if any(not _touches(repo, commit) <= {repo.name} for commit in commits):
        return _rebased(repo, base, head, upstream)
    current, now = upstream, content(repo, upstream)
    for commit in commits:
        parent = repo.commit_of(f"{commit}^1")
        wanted = merged(content(repo, parent), now, content(repo, commit))
        if wanted != now:
            current, now = _again(repo, commit, current, wanted), wanted
    return current


def _ours(repo: Repo, base: str, head: str) -> list[str]:
    return repo.do("rev-list", "--reverse", "--first-parent", head, *([f"^{base}"] if base else [])).split()


def _touches(repo: Repo, commit: str) -> set[str]:
    """Paths that differ from its first parent."""
    parent = repo.commit_of(f"{commit}^1")
    which = (parent, commit) if parent else ("--root", "--no-commit-id", commit)
    names = repo.read("diff-tree", "-r", "--no-renames", "--name-only", "-z", *which)
    return {name.decode("utf-8", "surrogateescape") for name in names.split(b"\0") if name}


def _again(repo: Repo, commit: str, parent: str, wanted: bytes) -> str:
    """`commit` once more, by the same author and with the same words, on another parent."""
    said = repo.read("show", "-s", "--format=%an%x00%ae%x00%ad%x00%B", "--date=raw", commit).decode(errors="replace")
    name, mail, date, message = said.split("\0", 3)
    author = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": date}
    mode, _ = entry(repo, parent)
    tree = tree_with(repo, parent, mode, store(repo, wanted))
    return commit_tree(repo, tree, (parent,), message.rstrip("\n") + "\n", author)


def _rebased(repo: Repo, base: str, head: str, upstream: str) -> str:
    """The same by git itself, in a work tree of its own, when other files were committed here too."""
    drop(repo)
    place = repo.git_dir / _PLACE
    repo.do("worktree", "add", "--quiet", "--force", "--detach", str(place), head, limit=NETWORK)
    there = replace(repo, top=place, bare=False)
    try:
        onto = ("--onto", upstream, base) if base else ("--onto", upstream, "--root")
        done = there.ask("-c", "rebase.autoSquash=false", *identity(repo), "rebase", "--quiet", *onto, limit=NETWORK)
        if done.code:
            raise _conflict(repo, there, done.err)
        return there.commit_of("HEAD")
    finally:
        drop(repo)


def drop(repo: Repo) -> None:
    """The work tree of a rebase of ours, if there is one: it holds nothing that is not committed."""
    if (repo.git_dir / _PLACE).exists():
        repo.ask("worktree", "remove", "--force", "--force", str(repo.git_dir / _PLACE))
    repo.ask("worktree", "prune")


def _conflict(repo: Repo, there: Repo, said: str) -> VcsError:
    names = there.ask("diff", "--name-only", "--diff-filter=U").text.split("\n")
    if not any(names):
        return VcsError(f"{repo.top}: the rebase failed: {said}", f"git -C {repo.top} pull --rebase", "conflict")
    hint = f"settle it: git -C {repo.top} pull --rebase, then ./inv journal.sync; the log book itself never conflicts"
    return VcsError(f"{', '.join(names)} was changed here and at the remote in the same place", hint, "conflict")
