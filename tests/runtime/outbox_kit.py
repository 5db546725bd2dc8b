"""What delivers for a webhook that runs in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtime import settings
from runtime.outbox.app import Outbox


@contextmanager
def delivering(environ: dict[str, str]) -> Iterator[None]:
    """The outbox of the webhook that has this environment; it ends with the block."""
    outbox = Outbox(settings.webhook(environ))
    outbox.start()
    try:
        yield
    finally:
        outbox.stop()
