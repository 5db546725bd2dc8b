"""What of the log book is committed here but not yet at the remote: since when, why, and when it is tried again."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from runtime import clock

FILE = "trading-ops-sync.json"
TOLD = "journal/sync.json"
"""Beside the log book: what `tell` writes."""
FIRST, LAST = 30.0, 3600.0
"""Seconds until the second attempt, and at most between two."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Times are ISO 8601 in UTC. `code` is a kind of trouble of runtime.journal.trouble."""

    since: str
    attempts: int
    next_try: str
    code: str
    message: str
    hint: str = ""

    @property
    def is_due(self) -> bool:
        return clock.iso(clock.now()) >= self.next_try


def read(git_dir: Path) -> Pending | None:
    """None when nothing waits, or when nobody can tell."""
    try:
        return Pending(**json.loads((git_dir / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def note(git_dir: Path, code: str, message: str, hint: str) -> Pending:
    """One more attempt failed: the next waits twice as long as the one before."""
    now, before = clock.now(), read(git_dir)
    count = before.attempts + 1 if before else 1
    later = clock.iso(now + timedelta(seconds=min(FIRST * 2 ** min(count - 1, 20), LAST)))
    found = Pending(before.since if before else clock.iso(now), count, later, code, message, hint)
    _write(git_dir / FILE, found)
    return found


def wait(git_dir: Path, why: str) -> None:
    """Something waits that was not tried yet: the next attempt is due at once."""
    now, before = clock.iso(clock.now()), read(git_dir)
    _write(git_dir / FILE, replace(before, next_try=now) if before else Pending(now, 0, now, "waiting", why))


def tell(place: Path, left: Pending | None) -> None:
    """For those who may not look into the repository, which is root's on a host: since when something waits.

    `at`: when this was true. Nothing of the remote or of the log book is in it, so all may read it.
    """
    if not place.parent.is_dir():
        return
    said = {"at": clock.iso(clock.now()), "since": left.since if left else None, "code": left.code if left else ""}
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    with suppress(OSError):
        draft.write_text(json.dumps(said) + "\n")
        draft.chmod(0o644)
        draft.replace(place)


def clear(git_dir: Path) -> None:
    (git_dir / FILE).unlink(missing_ok=True)


def _write(path: Path, found: Pending) -> None:
    """On a full or read-only disk nobody remembers; what waits is in git all the same."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        draft.write_text(json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n")
        draft.chmod(0o600)
        draft.replace(path)
