"""`python -m miner.monitor`: the service, as systemd starts it."""

from __future__ import annotations

import sys

from miner.monitor.settings import MonitorSettings, load, text_of
from runtime import settings


def main() -> int:
    """Serve until told to stop; 1 with one line per problem when the environment or the rules cannot be used."""
    try:
        wanted = load()
    except settings.SettingsError as error:
        return _refuse(str(error))
    return _serve(wanted)


def _serve(wanted: MonitorSettings) -> int:
    """The libraries are imported after the settings: a wrong one is said at once."""
    from miner import actions
    from miner.alerts import rules, tables
    from miner.monitor.app import Monitor
    from runtime import logs, service
    from runtime.store import Store, StoreError

    logs.configure(*wanted.secrets, style=wanted.watch.log_format)
    try:
        policy = actions.load(text_of(wanted.actions))
        judged = rules.load(text_of(wanted.rules))
        monitor = Monitor(wanted, Store(wanted.state / tables.FILE, tables.SCHEMA), judged, policy)
    except rules.RulesError as error:
        return _refuse(f"{wanted.rules}:\n{error}")
    except actions.PolicyError as error:
        return _refuse(f"{wanted.actions}: {error}")
    except (settings.SettingsError, StoreError, OSError) as error:
        return _refuse(str(error))
    environ = settings.environment()
    service.run(monitor.api.app, wanted.listen, environ, alive=monitor.alive, stopping=monitor.stopping)
    return 0


def _refuse(why: str) -> int:
    sys.stderr.write(f"miner-monitor cannot start:\n{why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
