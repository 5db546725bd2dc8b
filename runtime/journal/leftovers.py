"""Lock files that a git of ours left when it was killed: git itself refuses to work until somebody removes them.

While we work there is a mark in the git directory. A mark of a process that is gone says that a lock file younger than
it may be ours; one that any process still holds open, or that is older, is somebody else's and stays.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LONG = 1.0
"""Seconds: a git that lives has put its lock file in place by then."""


@contextmanager
def marked(git_dir: Path, name: str) -> Iterator[None]:
    """To be entered by one process at a time only, for each `name`."""
    mark = git_dir / f"trading-ops.{name}"
    if mark.exists():
        _clear(git_dir, mark.stat().st_mtime_ns)
        mark.unlink()
    mark.touch(0o600)
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def _clear(git_dir: Path, since: int) -> None:
    locks = [path for path in _locks(git_dir) if not path.name.startswith("trading-ops")]
    if locks:
        time.sleep(_LONG)
    held = _open_files() if locks else set()
    for path in locks:
        with suppress(FileNotFoundError):
            if path.stat().st_mtime_ns >= since and str(path) not in held:
                path.unlink()


def _locks(git_dir: Path) -> list[Path]:
    return [*git_dir.glob("*.lock"), *(git_dir / "refs").rglob("*.lock")]


def _open_files() -> set[str]:
    """Of all processes that we may look at."""
    found = set[str]()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            found.add(os.readlink(link))  # noqa: PTH115 - Path.readlink makes a Path of each: ten times slower
    return found
