"""Files that survive a power cut: whole, or as they were."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

LEFT = ".*.tmp"
"""What a killed process leaves of `replace`, as a pattern."""


def sync(path: Path) -> None:
    """Make a file's content, or what was created, renamed or removed in a folder, survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace(path: Path, content: bytes, prepare: Callable[[int], None]) -> None:
    """Written beside, synced, renamed. `prepare` gives the open file its mode and owner; before it is 0600."""
    fd, name = tempfile.mkstemp(".tmp", f".{path.name}-", path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            prepare(file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync(path.parent)
