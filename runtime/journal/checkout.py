"""Moving a work tree, or a bare repository's log book, to another commit while services append to the log book.

Git writes other files, never the log book: that one is replaced under its lock, by a merge with what stands in it at
that moment. Each step can be the last one: the next sync finds either the old state or one that merges to the same.
"""

from __future__ import annotations

from pathlib import Path

from runtime.journal.book import BookError
from runtime.journal.git import Repo, VcsError
from runtime.journal.merge import lost, merged
from runtime.journal.replace import rewrite
from runtime.journal.replay import content
from runtime.journal.vcs import entry, stage

AUTOSTASH = "trading-ops autostash"
KEPT = "trading-ops: could not be re-applied"


def move(repo: Repo, branch: str, old: str, new: str) -> str:
    """From commit `old` ("": none yet) to `new`. Returns what a person should know, or "". Raises VcsError."""
    if not repo.bare:
        return _move_tree(repo, branch, old, new)
    _merge_file(repo, old, new)
    _point(repo, branch, old, new)
    return ""


def reapply(repo: Repo) -> str:
    """A person's changes that were put aside, back in place; what to tell when they do not fit any more."""
    found = [line.split(" ", 1)[0] for line in _stashes(repo) if AUTOSTASH in line]
    if not found:
        return ""
    place, paths = found[0], repo.do("stash", "show", "--name-only", found[0]).split("\n")
    if repo.ask("stash", "pop", "--quiet", place).code == 0:
        return ""
    commit = repo.commit_of(place)
    repo.ask("reset", "--quiet", "--", *paths)
    repo.ask("checkout", "--quiet", "HEAD", "--", *paths)
    repo.do("stash", "store", "-m", KEPT, commit)
    repo.do("stash", "drop", "--quiet", next(line.split(" ", 1)[0] for line in _stashes(repo) if AUTOSTASH in line))
    return f"your changes to {', '.join(paths)} do not fit what came in: they are kept, git stash show -p {commit[:12]}"


def _stashes(repo: Repo) -> list[str]:
    return repo.ask("stash", "list", "--format=%gd %gs").text.split("\n")


def _merge_file(repo: Repo, old: str, new: str) -> None:
    """Raises VcsError rather than lose an entry."""
    base, theirs = content(repo, old), content(repo, new)

    def change(live: bytes) -> bytes:
        result = merged(base, live, theirs)
        if gone := lost(base, live, result):
            shown = gone[0].split(b"\n")[0].decode(errors="replace")
            raise VcsError(f"the merge would lose {shown!r}: nothing was changed", "please report this", "guard")
        return result

    try:
        backup = rewrite(repo.path, change) if repo.path.exists() else None
    except BookError as error:
        raise VcsError(str(error), error.hint, "file") from error
    if backup:
        backup.unlink(missing_ok=True)  # git has what it was, and a masked secret must not stay in a copy


def _move_tree(repo: Repo, branch: str, old: str, new: str) -> str:
    changed = _changed(repo, old, new)
    _clear_way(repo, new, changed)
    if edited := _edited(repo, changed):
        repo.do("stash", "push", "--quiet", "-m", AUTOSTASH, "--", *edited)
    _merge_file(repo, old, new)
    stage(repo, *entry(repo, new))
    repo.ask("update-index", "-q", "--refresh")
    done = repo.ask("read-tree", "-m", "-u", *([old] if old else []), new)
    if done.code:
        reapply(repo)
        raise VcsError(f"{repo.top}: {done.err}", f"git -C {repo.top} status", "in-the-way")
    _point(repo, branch, old, new)
    return reapply(repo)


def _point(repo: Repo, branch: str, old: str, new: str) -> None:
    repo.do("update-ref", "-m", "trading-ops: sync", f"refs/heads/{branch}", new, old)


def _changed(repo: Repo, old: str, new: str) -> dict[str, str]:
    """Other paths that differ between two commits, and how: A, D, M."""
    if old:
        words = repo.read("diff-tree", "-r", "--no-renames", "--name-status", "-z", old, new).split(b"\0")
        pairs = list(zip(words[1::2], words[::2], strict=False))
    else:
        pairs = [(name, b"A") for name in repo.read("ls-tree", "-r", "--name-only", "-z", new).split(b"\0") if name]
    found = {name.decode("utf-8", "surrogateescape"): how.decode() for name, how in pairs}
    return {name: how for name, how in found.items() if name != repo.name}


def _edited(repo: Repo, changed: dict[str, str]) -> list[str]:
    """Those of them that a person is working on."""
    if not changed or not repo.commit_of("HEAD"):
        return []
    look = ("--name-only", "--no-renames", "-z", "HEAD", "--")
    names = [*repo.read("diff", *look).split(b"\0"), *repo.read("diff", "--cached", *look).split(b"\0")]
    mine = {name.decode("utf-8", "surrogateescape") for name in names if name}
    return sorted(mine & changed.keys())


def _clear_way(repo: Repo, new: str, changed: dict[str, str]) -> None:
    """Files that git does not know here and that would be written over: the same ones are taken, others are named."""
    others, known = [], set(repo.read("ls-files", "-z").decode("utf-8", "surrogateescape").split("\0"))
    for name in (name for name, how in changed.items() if how == "A" and name not in known):
        path = repo.top / name
        if not path.is_symlink() and not path.exists():
            continue
        mode, blob = _there(repo, new, name)
        if path.is_file() and not path.is_symlink() and repo.do("hash-object", "--", str(path)) == blob:
            repo.do("update-index", "--add", "--cacheinfo", f"{mode},{blob},{name}")
        else:
            others.append(name)
    if others:
        raise VcsError(_in_the_way(others), _out_of_it(repo.top, others), "in-the-way")


def _there(repo: Repo, commit: str, name: str) -> tuple[str, str]:
    mode, _, blob = repo.do("ls-tree", "--full-tree", commit, "--", name).partition("\t")[0].split(" ")
    return mode, blob


def _in_the_way(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"the remote has {', '.join(names[:3])}{more}, and files of that name that git does not know are here"


def _out_of_it(top: Path, names: list[str]) -> str:
    first = names[0].split("/")[0]
    return f"move it away: mv {top / first} {top / first}.old; or take it out of the remote: git rm -r --cached {first}"
