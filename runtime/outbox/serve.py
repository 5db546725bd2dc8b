"""`python -m runtime.outbox.serve`: tv-outbox, as systemd starts it, with the environment of tv-webhook."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from runtime import settings, systemd

if TYPE_CHECKING:
    from runtime.outbox.app import Outbox

SIGN_SECONDS = 5.0

log = logging.getLogger("runtime.outbox")


def main() -> int:
    """Deliver until told to stop; 1 with one line per problem when it cannot start."""
    try:
        wanted = settings.webhook()
    except settings.SettingsError as error:
        sys.stderr.write(f"tv-outbox cannot start:\n{error}\n")
        return 1
    from runtime import logs  # after the settings: the libraries take a while to import
    from runtime.outbox.app import Outbox
    from runtime.store import StoreError

    logs.configure(*wanted.secrets, style=wanted.watch.log_format)
    try:
        outbox = Outbox(wanted)
    except StoreError as error:
        sys.stderr.write(f"tv-outbox cannot start:\n{error}\n")
        return 1
    _serve(outbox, settings.environment())
    return 0


def _serve(outbox: Outbox, environ: Mapping[str, str]) -> None:
    stop, notifier = threading.Event(), systemd.Notifier(environ)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    outbox.start()
    gc.collect()
    gc.freeze()  # what was imported lives as long as the process
    notifier.tell("READY=1", f"STATUS={outbox.standing()}")
    log.info("ready: delivering")
    every = min(systemd.watchdog_seconds(environ) or SIGN_SECONDS, SIGN_SECONDS)
    while not stop.wait(every):
        notifier.tell(*(["WATCHDOG=1"] if outbox.alive else []), f"STATUS={outbox.standing()}")
    notifier.tell("STOPPING=1")
    log.info("stopping")
    outbox.stop()


if __name__ == "__main__":
    sys.exit(main())
