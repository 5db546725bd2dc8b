"""`python -m runtime.webhook`: the service, as systemd starts it."""

from __future__ import annotations

import sys

from runtime import settings


def main() -> int:
    """Serve until told to stop; 1 with one line per problem when the environment cannot be used."""
    try:
        wanted = settings.webhook()
    except settings.SettingsError as error:
        sys.stderr.write(f"tv-webhook cannot start:\n{error}\n")
        return 1
    from runtime import logs, service  # after the settings: the framework takes half a second to import
    from runtime.webhook.app import Webhook

    logs.configure(*wanted.secrets, style=wanted.watch.log_format)
    webhook = Webhook(wanted)
    ending = webhook.dashboard.live.close
    service.run(webhook.app, wanted.listen, settings.environment(), alive=webhook.alive, stopping=ending)
    return 0


if __name__ == "__main__":
    sys.exit(main())
