"""What the store remembers of a sink: how far it got, and what it was about to write.

The intent is stored before the file is touched and holds the very bytes, so a new release with another format, or
another time zone, still finishes what the old one began.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Table, select

from runtime.store import upsert


@dataclass(frozen=True, slots=True)
class Intent:
    """Entries about to be appended: up to event `upto`, at byte `offset` of the file known by `device` and `inode`.

    `lead` is what comes before the first entry: a newline more when the file did not end with one. `refs` are the dead
    letters that these entries are, tried again.
    """

    upto: int
    device: int
    inode: int
    offset: int
    lead: str
    entries: tuple[str, ...]
    refs: tuple[int, ...] = ()

    @property
    def blob(self) -> bytes:
        return (self.lead + "".join(self.entries)).encode()


@dataclass(frozen=True, slots=True)
class Progress:
    """A sink delivered all events up to `delivered`; `intent` is set while it may be amid the next ones."""

    delivered: int
    intent: Intent | None


def load(connection: Connection, table: Table, sink: str) -> Progress:
    """Where `sink` stands; a sink never seen has delivered nothing."""
    row = connection.execute(select(table).where(table.c.sink == sink)).first()
    if row is None:
        return Progress(0, None)
    return Progress(row.delivered, _decode(row.intent) if row.intent else None)


def save(connection: Connection, table: Table, sink: str, progress: Progress) -> None:
    """Remember where `sink` stands."""
    values = {"delivered": progress.delivered, "intent": _encode(progress.intent) if progress.intent else None}
    upsert.put(connection, table, {"sink": sink} | values)


def _encode(intent: Intent) -> str:
    return json.dumps(asdict(intent))


def _decode(text: str) -> Intent:
    raw = json.loads(text)
    return Intent(**{**raw, "entries": tuple(raw["entries"]), "refs": tuple(raw.get("refs", ()))})
