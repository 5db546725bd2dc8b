"""Bringing the log book to the remote and the remote's to here: `./inv journal.sync`, the timer, and `sync_later`.

One at a time. Whatever fails is told in one message, and waits in the queue: it is tried again, later each time. What a
killed one left half done, the next one finishes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from runtime.journal import pending, replay
from runtime.journal.checkout import move, reapply
from runtime.journal.driver import install
from runtime.journal.git import NETWORK, Repo, VcsError, find, lock
from runtime.journal.leftovers import marked
from runtime.journal.remote import Remote, remote_of
from runtime.journal.trouble import AGAIN
from runtime.journal.vcs import record

MESSAGE = "Journal"
RACES = 8
_PAUSES = (5, 15, 45, 120, 300, 600, 900, 900)
"""Seconds between the attempts of a process in the background; after them the queue waits for the next sync."""


@dataclass(frozen=True, slots=True)
class Synced:
    """`outcome` is synced, missing, no-repository, no-remote or waiting; `code` the kind of trouble when it waits."""

    outcome: str
    pushed: int = 0
    received: int = 0
    message: str = ""
    hint: str = ""
    code: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome not in ("waiting", "missing")


def sync(path: Path) -> Synced:
    """In the foreground; waits for one that is under way. Never raises for what git or the network refuse."""
    try:
        repo = find(path)
    except VcsError as error:
        return Synced("waiting", message=str(error), hint=error.hint, code=error.code)
    if repo is None and not path.exists():
        return Synced("missing", message=f"{path} does not exist", hint="which log book is meant? --file PATH")
    if repo is None:
        return Synced("no-repository", message=f"{path} lies in no git repository")
    try:
        with lock(repo.git_dir / "trading-ops-sync.lock"), marked(repo.git_dir, "syncing"):
            return _sync(repo)
    except (VcsError, OSError) as error:
        return _waits(repo, error)


def _waits(repo: Repo, error: VcsError | OSError) -> Synced:
    told = error if isinstance(error, VcsError) else VcsError(f"{repo.path}: {error.strerror or error}", "", "file")
    pending.note(repo.git_dir, told.code, str(told), told.hint)
    return Synced("waiting", message=str(told), hint=told.hint, code=told.code)


def _sync(repo: Repo) -> Synced:
    note, received = _recover(repo), 0
    remote = remote_of(repo)
    if remote is None:
        with repo.held():
            _save(repo)
        pending.clear(repo.git_dir)
        return Synced("no-remote", message=f"{repo.top} has no remote: the log book stays on this machine", note=note)
    for attempt in range(RACES):
        upstream = remote.fetch()
        with repo.held():
            came, told = _integrate(repo, remote, upstream)
        received, note = received + came, note or told
        if (pushed := _push(repo, remote, upstream)) is not None:
            repo.ask("-c", "gc.auto=2000", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet", limit=NETWORK)
            return Synced("synced", pushed, received, note=note)
        time.sleep(random.uniform(0.05, 0.2) * 2**attempt)  # noqa: S311 - so that two machines do not keep step
    raise VcsError(f"others pushed {RACES} times while this machine tried to", "./inv journal.sync", "race")


def _recover(repo: Repo) -> str:
    """What a killed one left is finished or taken away. Returns what a person should know."""
    with repo.held():
        repo.check_free()
        replay.drop(repo)
        install(repo)
        note = "" if repo.bare else reapply(repo)
        if repo.commit_of("HEAD"):
            _save(repo)  # before anything that needs the network
        return note


def _save(repo: Repo) -> None:
    """What services, or a person, wrote since. A log book that was never there is nothing to commit."""
    if repo.path.exists():
        record(repo, MESSAGE)


def _push(repo: Repo, remote: Remote, upstream: str) -> int | None:
    """How many commits went; None when somebody else was faster."""
    head = repo.commit_of("HEAD")
    if not head or head == upstream:
        pending.clear(repo.git_dir)
        return 0
    count = int(repo.do("rev-list", "--count", head, *([f"^{upstream}"] if upstream else [])))
    if not remote.push(repo.branch):
        return None
    with repo.held():
        repo.do("update-ref", remote.kept, head)
        if repo.commit_of("HEAD") == head:  # else somebody committed meanwhile, and waits
            pending.clear(repo.git_dir)
    return count


def _integrate(repo: Repo, remote: Remote, upstream: str) -> tuple[int, str]:
    """What the remote has, and we do not, comes in; what was written here since is committed.

    Returns how many commits came, and what a person should know.
    """
    repo.check_free()
    if repo.commit_of("HEAD") or not upstream:
        _save(repo)
    came, note = _take(repo, remote, repo.commit_of("HEAD"), upstream) if upstream else (0, "")
    _save(repo)  # where there was no branch yet, what services had written goes on top of what came
    return came, note


def _take(repo: Repo, remote: Remote, head: str, upstream: str) -> tuple[int, str]:
    if head:
        replay.check_not_rewritten(repo, remote, head, upstream)
    base, note = replay.common(repo, remote, head, upstream) if head else "", ""
    if base != upstream:
        new = upstream if base == head else replay.replayed(repo, base, head, upstream)
        was = _kept_aside(repo, head) if base and not replay.is_in(repo, base, upstream) else ""
        note = was + move(repo, repo.branch, head, new)
    repo.do("update-ref", remote.kept, upstream)
    return int(repo.do("rev-list", "--count", upstream, *([f"^{base}"] if base else []))), note


def _kept_aside(repo: Repo, head: str) -> str:
    """A rewritten history may have dropped more than its author meant."""
    name = f"refs/trading-ops/before-rewrite/{head[:12]}"
    repo.do("update-ref", name, head)
    return f"the remote's history was rewritten; what was here before: {name} (git update-ref -d {name} forgets it). "


def later(path: Path) -> None:
    """`sync_later`'s process: goes on trying for a while as long as only time can help."""
    for _ in range(3):  # again for what was committed after the last look, by one that saw us at work and left
        repo = find(path)
        if repo is None:
            return
        try:
            with lock(repo.git_dir / "trading-ops-later.lock", wait=False):
                _persist(path)
        except BlockingIOError:
            return
        left = pending.read(repo.git_dir)
        if left is None or left.code != "waiting":
            return


def _persist(path: Path) -> None:
    for pause in (*_PAUSES, 0):
        done = sync(path)
        if done.ok or done.code not in AGAIN:
            return
        time.sleep(pause)


def command(path: Path, *, as_json: bool) -> int:
    """`./inv journal.sync`: says what happened; 1 when the log book still waits."""
    done = sync(path)
    if as_json:
        sys.stdout.write(json.dumps({"file": str(path), **asdict(done)}, ensure_ascii=False) + "\n")
    elif done.ok:
        sys.stdout.write("".join(f"{line}\n" for line in (_words(path, done), done.note) if line))
    if not done.ok:
        sys.stderr.write(f"error: {done.message}\n" + (f"  -> {done.hint}\n" if done.hint else ""))
    return 0 if done.ok else 1


def _words(path: Path, done: Synced) -> str:
    if done.outcome != "synced":
        return done.message
    if not done.pushed and not done.received:
        return f"{path}: nothing new, here or at the remote"
    return f"{path}: {done.pushed} commits pushed, {done.received} received"


def due(path: Path) -> int:
    """The timer's: waits its turn after a failure; 1 only when a person must do something."""
    repo = find(path)
    left = pending.read(repo.git_dir) if repo else None
    if left and not left.is_due:
        return 0
    done = sync(path)
    if repo:
        pending.tell(path.parent / pending.TOLD, pending.read(repo.git_dir))
    told = (done.message or _words(path, done), done.hint, done.note)
    sys.stdout.write("".join(f"{text}\n" for text in told if text))
    return 0 if done.ok or done.code in AGAIN else 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m runtime.journal.sync", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--later", action="store_true", help="in the background: say nothing, go on trying")
    parser.add_argument("--due", action="store_true", help="by a timer: only when its turn has come")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if given.later:
        later(given.path)
        return 0
    return due(given.path) if given.due else command(given.path, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
