"""The process's environment, and the only module that reads it. Light: programs that must start at once begin here."""

from __future__ import annotations

import os
from collections.abc import Mapping


def environment() -> Mapping[str, str]:
    """For settings, and for those who speak systemd's protocols."""
    return os.environ
