"""`python -m runtime.store.migrate webhook|perf`: bring a service's store forward, as its next start would.

Reads what the service reads: STORE_URL or PERF_STORE_URL, else the file in TRADING_STATE_DIR.
"""

from __future__ import annotations

import sys

from runtime import settings
from runtime.store.database import Store
from runtime.store.engine import named
from runtime.store.errors import StoreError
from runtime.store.schema import Schema


def main(arguments: list[str]) -> int:
    """0 when the store stands at this release's revision, 1 saying why it does not, 2 when asked wrongly."""
    if arguments not in (["webhook"], ["perf"]):
        sys.stderr.write("usage: python -m runtime.store.migrate webhook|perf\n")
        return 2
    try:
        place = settings.store_place(arguments[0])
        store = Store(place, _schema(arguments[0]))
    except (settings.SettingsError, StoreError) as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 1
    store.close()
    sys.stdout.write(f"{arguments[0]}: {store.move} in {named(place)}\n")
    return 0


def _schema(service: str) -> Schema:
    if service == "perf":
        from runtime.perf.tables import SCHEMA
    else:
        from runtime.store.tables import SCHEMA
    return SCHEMA


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
