"""`./inv journal.scrub --history`: what leaked into Git, what to rotate, and taking it out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.journal import history
from runtime.journal.hide import Hide
from runtime.journal.history import Found, Leak
from runtime.journal.objects import Repo
from runtime.journal.replace import rewrite as rewrite_file
from runtime.journal.rewriting import Rewritten, recover, rewrite

SHOWN = 5
AFTER = (
    "rotate every secret above: a history that was rewritten here may have been read elsewhere",
    "this clone's reflogs still hold the old commits, and older stashes: look at git stash list, then "
    "git update-ref -d ORIG_HEAD; git reflog expire --expire=now --expire-unreachable=now --all; git gc --prune=now",
    "who has a clone: save own work as patches, then git fetch and git reset --hard to the new branch, or clone anew; "
    "never merge or rebase onto the old one, that brings the secrets back",
    "a hoster keeps unreachable commits for a time, and shows them to who knows their id: ask its support to drop them",
)


def run(book: Path, *, write: bool) -> tuple[int, dict[str, Any], Iterator[str]]:
    """(exit code, the object for --json, the lines for people). Raises BookError.

    2 while something is left that was found; 1 when a rewrite left something behind.
    """
    if recover(Repo.of(book)):
        sys.stderr.write("note: a rewrite that was cut off was taken back first\n")
    found = history.search(book)
    done = rewrite(found) if write and found.leaks and found.versions else None
    masked = _mask_file(book, found) if write and found.leaks else None
    code = (1 if done and done.leftovers else 0) if write or not found.leaks else 2
    return code, _json(book, found, done, masked), _lines(found, done, masked, written=write)


def _mask_file(book: Path, found: Found) -> Path | None:
    """The file itself, as `journal.scrub --write` does; its backup, or None."""
    hide = Hide(value.decode(errors="replace") for value in found.telling())
    return rewrite_file(book, hide.masked) if book.exists() else None


def _json(book: Path, found: Found, done: Rewritten | None, masked: Path | None) -> dict[str, Any]:
    told: dict[str, Any] = {"file": str(book), "repository": str(found.repo.top), "versions": found.versions}
    told |= {"leaks": found.json(), "written": bool(done or masked), "file_backup": masked and str(masked)}
    if done is None:
        return told | {"backup": None}
    refs = [{"name": ref.name, "old": ref.old, "new": ref.new or None} for ref in done.refs]
    told |= {"backup": str(done.backup), "commits": done.commits, "refs": refs, "leftovers": done.leftovers}
    return told | {"push": done.push, "after": list(AFTER)}


def _lines(found: Found, done: Rewritten | None, masked: Path | None, *, written: bool) -> Iterator[str]:
    for leak in found.leaks:
        yield from _leak(leak, was_pushed=found.was_pushed(leak))
    if not found.leaks:
        yield f"no secret in {found.versions} versions of {found.repo.path}"
    elif not written:
        yield "--write takes them out of the history, after a backup of everything"
    if masked:
        yield f"{found.repo.path} is masked; the file as it was, secrets included: {masked} (delete it)"
    if done:
        yield from _done(done)


def _leak(leak: Leak, *, was_pushed: bool) -> Iterator[str]:
    commits = [one for one in leak.versions if one.date]
    yield f"{leak.kind}: {leak.preview}: {'PUSHED: ' if was_pushed else ''}{leak.rotate}"
    for one in commits[:SHOWN]:
        yield f"    {one.commit[:12]}  {one.date[:16].replace('T', ' ')}"
    if len(commits) > SHOWN:
        yield f"    and {len(commits) - SHOWN} more commits, the last one {commits[-1].commit[:12]}"
    yield from (f"    {one.commit}" for one in leak.versions if not one.date)


def _done(done: Rewritten) -> Iterator[str]:
    yield f"{done.commits} commits were made anew; everything as it was, secrets included: {done.backup}"
    yield f"    (back: git fetch {done.backup} and git reset --hard to what it holds; delete it once you have looked)"
    yield from (f"LEFT: {one} still holds one of the values" for one in done.leftovers)
    if done.push:
        yield "to do by yourself, once every other clone is quiet:"
        yield from (f"    {command}" for command in done.push)
    yield from (f"then: {step}" for step in AFTER)
