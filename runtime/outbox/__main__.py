"""`python -m runtime.outbox status [--json] | retry SINK (--id N | --all)`: for whoever looks after the host.

Needs the environment of tv-webhook (`./inv outbox.status` sees to that). Exit status 1 means that a sink fails or has
dead letters, 2 that the question could not be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from runtime import clock, settings
from runtime.outbox import deadletters, status
from runtime.store import Store, StoreError, tables

SHOWN = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        wanted = settings.webhook()
        store = Store(wanted.database, tables.SCHEMA)
    except (settings.SettingsError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        return _retry(store, given.sink, given.id) if given.command == "retry" else _status(store, wanted, given.json)
    except StoreError as error:
        sys.stderr.write(f"the store cannot be used now: {error}\n")
        return 2
    finally:
        store.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m runtime.outbox", description="what the sinks were delivered")
    commands = parser.add_subparsers(dest="command", required=True)
    shown = commands.add_parser("status", help="how each sink stands; exits 1 when one fails or has dead letters")
    shown.add_argument("--json", action="store_true", help="one JSON object")
    again = commands.add_parser("retry", help="have dead letters sent again")
    again.add_argument("sink")
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", type=int, help="this one (the number that status shows)")
    which.add_argument("--all", action="store_true", help="all of this sink")
    return parser


def _status(store: Store, wanted: settings.WebhookSettings, as_json: bool) -> int:
    with store.read() as connection:
        found = status.read(connection, status.known(connection, wanted), clock.now())
        letters = deadletters.listed(connection, SHOWN)
    is_well = all(one.is_well for one in found) and not letters
    if as_json:
        sinks = {one.sink: one.shown() for one in found}
        told = {"ok": is_well, "sinks": sinks, "dead_letters": [letter.shown() for letter in letters]}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stdout.write(status.table(found) + deadletters.table(letters))
    return 0 if is_well else 1


def _retry(store: Store, sink: str, letter_id: int | None) -> int:
    marked = store.submit(lambda connection: deadletters.retry(connection, sink, letter_id)).result(10)
    if not marked:
        which = f"{sink} has no dead letter" + (f" {letter_id}" if letter_id is not None else "s")
        sys.stderr.write(f"{which}; `status` lists what there is\n")
        return 1
    sys.stdout.write(f"{marked} of {sink} will be sent again within seconds; `status` shows what became of it\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
