"""What systemd makes of a unit's file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed here")


def assert_hardened(unit: Path, most: float) -> str:
    """Its exposure, as `systemd-analyze security` reckons it, is at most this. Returns the whole table."""
    options = ("--offline=true", "--no-pager", f"--threshold={most * 10:.0f}")
    done = subprocess.run(["systemd-analyze", "security", *options, unit], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:]
    return done.stdout
