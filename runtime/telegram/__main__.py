"""`python -m runtime.telegram`: the service, as systemd starts it."""

from __future__ import annotations

import asyncio
import logging
import sys

from runtime import settings
from runtime.telegram.settings import load


def main() -> int:
    """Serve until told to stop; 1 with one line per problem when the environment cannot be used."""
    try:
        wanted = load()
    except settings.SettingsError as error:
        sys.stderr.write(f"tv-telegram cannot start:\n{error}\n")
        return 1
    from runtime import logs  # after the settings: the libraries take half a second to import
    from runtime.telegram.app import App

    logs.configure(*wanted.secrets, style=wanted.log_format)
    try:
        asyncio.run(App(wanted, settings.environment()).run())
    except Exception:
        # Through the log, which stars what is secret: Python's own traceback would quote a library's URLs
        logging.getLogger("runtime.telegram").exception("the service failed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
