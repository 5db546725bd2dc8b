"""A service's log: one line an event on stdout; systemd adds the time and the unit. Bodies and URLs are not logged."""

from __future__ import annotations

import logging
import sys

from runtime.keys import Secret

QUIET = {
    "uvicorn": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "telegram": logging.CRITICAL,
}
"""Libraries that would name every request, some with a token in its URL, or every failure that we report ourselves."""


class _OneLine(logging.Formatter):
    """A traceback on one line too: the system journal keeps it together. A secret is starred wherever it came from."""

    def __init__(self, secrets: tuple[Secret, ...]) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._secrets = tuple(secret.reveal() for secret in secrets if secret.reveal())

    def formatException(self, ei: object) -> str:
        return super().formatException(ei).replace("\n", " | ")  # type: ignore[arg-type]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace("\n", " | ")
        for secret in self._secrets:
            line = line.replace(secret, "********")
        return line


def configure(*secrets: Secret) -> None:
    """Plain lines on stdout, from INFO on; `secrets` never appear in one, not even in a library's traceback."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_OneLine(secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
