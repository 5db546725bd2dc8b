"""Looks for what tv-webhook has committed, and says whom it concerns and how fast it comes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from runtime import clock
from runtime.store import Store
from runtime.store.tables import dead_letters, events, messages

PRESSED_RATE = 300.0  # alerts a second
PRESSED_SECONDS = 0.2  # for so long after they were seen

_NEWEST = select(
    select(func.max(events.c.id)).scalar_subquery(),
    select(func.max(messages.c.id)).scalar_subquery(),
    select(func.count()).select_from(dead_letters).where(dead_letters.c.retry).scalar_subquery(),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest event, the newest message to the ledger, how many dead letters wait to be sent again, and when."""

    event: int
    message: int
    again: int
    at: float

    def differs(self, before: Seen) -> bool:
        return (self.event, self.message, self.again) != (before.event, before.message, before.again)


class Lookout:
    """`look` is for one thread; `pressed` may be asked by any."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pulse = store.pulse()
        self._seen = Seen(0, 0, 0, clock.steady())
        self._pressed_until = float("-inf")

    @property
    def every(self) -> float:
        """Seconds between two looks."""
        return self._pulse.every

    def look(self) -> bool:
        """Whether there is something new. Raises StoreError."""
        if not self._pulse.beat():
            return False
        with self._store.read() as connection:
            seen = _seen(connection)
        before, self._seen = self._seen, seen
        if seen.event - before.event > PRESSED_RATE * (seen.at - before.at):
            self._pressed_until = seen.at + PRESSED_SECONDS
        return seen.differs(before)

    def pressed(self) -> bool:
        """Alerts came fast a moment ago: what can wait should."""
        return clock.steady() < self._pressed_until

    def close(self) -> None:
        self._pulse.close()


def _seen(connection: Connection) -> Seen:
    event, message, again = connection.execute(_NEWEST).one()
    return Seen(event or 0, message or 0, again or 0, clock.steady())
