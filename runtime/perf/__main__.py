"""`python -m runtime.perf`: the service, as systemd starts it."""

from __future__ import annotations

import sys

from runtime import settings


def main() -> int:
    """Serve until told to stop; 1 with one line per problem when the environment cannot be used."""
    try:
        wanted = settings.perf()
    except settings.SettingsError as error:
        sys.stderr.write(f"perf cannot start:\n{error}\n")
        return 1
    from runtime import logs, service  # after the settings: the framework takes half a second to import
    from runtime.perf.app import Perf

    logs.configure(*wanted.secrets, style=wanted.watch.log_format)
    perf = Perf(wanted)
    service.run(perf.app, wanted.listen, settings.environment(), alive=perf.alive, stopping=perf.live.close)
    return 0


if __name__ == "__main__":
    sys.exit(main())
