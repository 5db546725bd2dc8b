"""Replacing a file on disk so that neither a killed process nor a power cut leaves half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

TEMPORARY = ".*.tmp"
"""What a killed process leaves behind, as a pattern."""


def replace(target: Path, data: bytes) -> None:
    """Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(".tmp", f".{target.name}-", target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _settle(target.parent)


def _settle(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
