"""`python -m runtime.store.migrate webhook|perf`: bring a service's store forward, as its next start would.

Reads what the service reads: STORE_URL or PERF_STORE_URL, else the file in TRADING_STATE_DIR. The monitor's own store,
which runtime knows nothing of: `python -m miner.alerts.migrate`.
"""

from __future__ import annotations

import sys

from runtime import settings
from runtime.store.database import Store
from runtime.store.engine import Place, named
from runtime.store.errors import StoreError
from runtime.store.schema import Schema


def main(arguments: list[str]) -> int:
    """0 when the store stands at this release's revision, 1 saying why it does not, 2 when asked wrongly."""
    if arguments not in (["webhook"], ["perf"]):
        sys.stderr.write("usage: python -m runtime.store.migrate webhook|perf\n")
        sys.stderr.write("the monitor's store: python -m miner.alerts.migrate\n")
        return 2
    try:
        return forward(settings.store_place(arguments[0]), _schema(arguments[0]))
    except settings.SettingsError as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 1


def forward(place: Place, schema: Schema) -> int:
    """0 when the store at `place` stands at its schema's newest revision, 1 saying why it does not."""
    try:
        store = Store(place, schema)
    except StoreError as error:
        sys.stderr.write(f"{schema.name}: {error}\n")
        return 1
    store.close()
    sys.stdout.write(f"{schema.name}: {store.move} in {named(place)}\n")
    return 0


def _schema(service: str) -> Schema:
    if service == "perf":
        from runtime.perf.tables import SCHEMA
    else:
        from runtime.store.tables import SCHEMA
    return SCHEMA


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
