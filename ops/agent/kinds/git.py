"""A git checkout at a ref."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..host import HostError, run
from .base import Change, Kind, State, Want, differ
from .command import _as

_COMMIT = re.compile(r"[0-9a-f]{40}")


class Git(Kind):
    """want: path, url, ref (branch, tag or commit), user. Local edits in the checkout are refused, not lost."""

    def read(self, want: Want) -> State:
        if not (Path(want["path"]) / ".git").is_dir():
            return {"exists": False, "empty": _empty(want["path"])}
        url, head = _git(want, "remote", "get-url", "origin").strip(), _git(want, "rev-parse", "HEAD").strip()
        dirty = bool(_git(want, "status", "--porcelain", "--untracked-files=no").strip())
        state: State = {"exists": True, "url": url, "head": head, "dirty": dirty}
        state["target"] = _target(want) if state["url"] == want["url"] else want["ref"]
        return state

    def changes(self, state: State, want: Want) -> list[Change]:
        if not state["exists"]:
            return [Change("checkout", "absent", f"{want['url']} at {want['ref']}")]
        found = differ("url", state["url"], want["url"]) + differ("commit", state["head"][:12], state["target"][:12])
        return found + ([Change("local edits", "yes", "none")] if state["dirty"] else [])

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        path = want["path"]
        if not state["exists"]:
            if not state["empty"]:
                raise HostError(f"{path} holds files but is no git checkout", f"move it away: mv {path} {path}.old")
            run("git", "clone", "--quiet", "--", want["url"], path, timeout=600, bound=True, **_as(want | {"cwd": "/"}))
        elif state["dirty"]:
            raise HostError(f"{path} has local edits", f"look at them on the host: git -C {path} diff")
        _git(want, "remote", "set-url", "origin", want["url"])
        _git(want, "fetch", "--quiet", "--tags", "origin")
        _git(want, "checkout", "--quiet", "--detach", _resolve(want))


def _empty(path: str) -> bool:
    return not Path(path).exists() or not any(Path(path).iterdir())


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


def _resolve(want: Want) -> str:
    return _target(want)
