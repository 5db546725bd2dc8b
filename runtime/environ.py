"""The process's environment, and the only module that reads it. Light: programs that must start at once begin here."""

from __future__ import annotations

import os
from collections.abc import Mapping


def environment() -> Mapping[str, str]:
    """For settings, and for those who speak systemd's protocols."""
    return os.environ


class SettingsError(Exception):
    """The environment cannot be used; the message has one line for each variable."""


class Variables:
    """Read one by one; what is wrong with them is kept for `finish`, so that one failed start names all of it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def text(self, name: str) -> str:
        """Its value without spaces around it; "" when it is absent."""
        return self._environ.get(name, "").strip()

    def problem(self, said: str) -> None:
        """One line, without a value that must not be quoted."""
        self._problems.append(said)

    def finish(self) -> None:
        """Raises SettingsError."""
        if self._problems:
            raise SettingsError("\n".join(self._problems))
