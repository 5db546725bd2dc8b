"""`python -m miner.alerts.migrate`: bring the monitor's own store forward, as its next start would.

It is in TRADING_STATE_DIR.
"""

from __future__ import annotations

import sys

from miner.alerts.tables import FILE, SCHEMA
from runtime import settings
from runtime.store.migrate import forward


def main() -> int:
    """0 when it stands at this release's revision, 1 saying why it does not."""
    env = settings.Reader(settings.environment())
    state = env.state()
    try:
        env.finish()
    except settings.SettingsError as error:
        sys.stderr.write(f"{SCHEMA.name}: {error}\n")
        return 1
    return forward(state / FILE, SCHEMA)


if __name__ == "__main__":
    sys.exit(main())
