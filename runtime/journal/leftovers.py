"""Lock files that a git of ours left when it was killed: git itself refuses to work until somebody removes them.

While we work there is a mark in the git directory. A mark of a process that is gone says that a lock file younger than
it may be ours; one that any process still holds open, or that is older, is somebody else's and stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MARK = "trading-ops.at-work"


@contextmanager
def marked(git_dir: Path) -> Iterator[None]:
    """To be entered by one process at a time only."""
    mark = git_dir / _MARK
    if mark.exists():
        _clear(git_dir, mark.stat().st_mtime_ns)
        mark.unlink()
    mark.touch(0o600)
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def _clear(git_dir: Path, since: int) -> None:
    held = _open_files()
    for path in [*git_dir.glob("*.lock"), *(git_dir / "refs").rglob("*.lock")]:
        with suppress(FileNotFoundError):
            if path.name != "trading-ops.lock" and path.stat().st_mtime_ns >= since and str(path) not in held:
                path.unlink()
    for path in git_dir.glob("trading-ops.index.*"):
        path.unlink(missing_ok=True)


def _open_files() -> set[str]:
    """Of all processes that we may look at."""
    found = set[str]()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            found.add(os.readlink(link))  # noqa: PTH115 - Path.readlink makes a Path of each: ten times slower
    return found
