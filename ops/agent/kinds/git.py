"""A git checkout at a ref."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ..host import HostError, run
from .base import Change, Kind, State, Want, differ
from .command import _as

_COMMIT = re.compile(r"[0-9a-f]{40}")
_BUSY = "trading-ops-busy"
"""A file in .git that is there while we work on the checkout: found later, it says that the work was cut off."""


class Git(Kind):
    """want: path, url, ref (branch, tag or commit), user. Local edits in the checkout are refused, not lost."""

    def read(self, want: Want) -> State:
        if not (Path(want["path"]) / ".git").is_dir():
            return {"exists": False, "empty": _empty(want["path"])}
        if _is_cut_off(want):
            return {"exists": True, "cut_off": True}
        url, head = _git(want, "remote", "get-url", "origin").strip(), _git(want, "rev-parse", "HEAD").strip()
        dirty = bool(_git(want, "status", "--porcelain", "--untracked-files=no").strip())
        state: State = {"exists": True, "url": url, "head": head, "dirty": dirty}
        state["target"] = _target(want) if state["url"] == want["url"] else want["ref"]
        return state

    def changes(self, state: State, want: Want) -> list[Change]:
        if not state["exists"]:
            return [Change("checkout", "absent", f"{want['url']} at {want['ref']}")]
        if state.get("cut_off"):
            return [Change("checkout", "cut off half-way", f"{want['url']} at {want['ref']}")]
        found = differ("url", state["url"], want["url"]) + differ("commit", state["head"][:12], state["target"][:12])
        return found + ([Change("local edits", "yes", "none")] if state["dirty"] else [])

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        path, force = want["path"], []
        if not state["exists"]:
            if not state["empty"]:
                raise HostError(f"{path} holds files but is no git checkout", f"move it away: mv {path} {path}.old")
            run("git", "init", "--quiet", "--", path, bound=True, **_as(want | {"cwd": "/"}))
        elif state.get("cut_off"):
            force = ["--force"]  # what differs from the commit is what we had not written yet
        elif state["dirty"]:
            raise HostError(f"{path} has local edits", f"look at them on the host: git -C {path} diff")
        mark = _mark(want)
        try:
            _git(want, "config", "remote.origin.url", want["url"])
            _git(want, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
            _git(want, "fetch", "--quiet", "--tags", "origin")
            commit = _target(want)
        except HostError:
            mark.unlink()  # the files are as they were: edits made from now on are a person's, not ours
            raise
        _git(want, "checkout", "--quiet", *force, "--detach", commit)
        mark.unlink()


def _empty(path: str) -> bool:
    return not Path(path).exists() or not any(Path(path).iterdir())


def _is_cut_off(want: Want) -> bool:
    """Whether an earlier run died at work here; without a commit it died before it came to mark anything."""
    if os.path.lexists(Path(want["path"]) / ".git" / _BUSY):
        return True
    try:
        _git(want, "rev-parse", "--quiet", "--verify", "HEAD")
    except HostError:
        return True
    return False


def _mark(want: Want) -> Path:
    """Says in the checkout that we are at work, and clears the locks of a git that was killed; returns the mark."""
    mark = Path(want["path"]) / ".git" / _BUSY
    mark.unlink(missing_ok=True)
    # not through a link that the checkout's owner may have put there
    os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    for lock in mark.parent.rglob("*.lock"):
        lock.unlink()
    return mark


def _git(want: Want, *argv: str) -> str:
    options: dict[str, Any] = _as(want | {"cwd": "/"})
    # the checkout may belong to another user than the one asking: git would call that dubious
    base = ("git", "-c", f"safe.directory={want['path']}", "-C", want["path"])
    return run(*base, *argv, timeout=600, bound=True, **options).stdout


def _target(want: Want) -> str:
    """The commit that the ref names at the remote: a full commit needs no network."""
    if _COMMIT.fullmatch(want["ref"]):
        return str(want["ref"])
    ref = want["ref"]
    # whole names: ls-remote takes "main" for refs/heads/their/main too. An annotated tag has its commit under ^{}
    names = [f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}"]
    lines = [line.split() for line in _git(want, "ls-remote", "origin", *names).splitlines()]
    found = {name: commit for commit, name in lines}
    if not found.keys() & set(names):
        raise HostError(f'{want["url"]} has no branch or tag "{ref}"', "name a branch, a tag or a full commit")
    return next(found[name] for name in names if name in found)
