"""A ledger in a folder of its own, told its events without the web between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from runtime.perf import event, ledger, rebuild
from runtime.perf.ledger import Refused, Rules
from runtime.perf.tables import SCHEMA
from runtime.store import Store
from runtime.store.engine import Place

NOW = datetime(2026, 2, 17, 12, 0, tzinfo=UTC)
EQUITY0 = 10_000.0
OPEN = {"type": "OPEN", "trade_id": "t", "engine": "E", "symbol": "S", "side": "LONG", "entry": 100, "qty": 10}
OPEN |= {"stop": 95, "ts": "2026-02-16T10:00:00Z"}


class Ledger:
    """`tell` gives the answer, or the status of a refusal."""

    def __init__(self, store: Store, reversal: str = "keep") -> None:
        self.store = store
        self.rules = Rules(EQUITY0, reversal)

    def tell(self, **data: Any) -> Any:
        wanted = event.read(data, NOW)
        try:
            return self.store.submit(lambda connection: ledger.apply(connection, wanted, self.rules)).result()
        except Refused as refused:
            return refused.status

    def open(self, name: str, **changes: Any) -> Any:
        return self.tell(**(OPEN | {"trade_id": name} | changes))

    def close(self, name: str, exit_price: float, **more: Any) -> Any:
        return self.tell(type="CLOSE", trade_id=name, exit=exit_price, **more)

    def mark(self, name: str, price: float, **more: Any) -> Any:
        return self.tell(type="UPDATE", trade_id=name, mark=price, **more)

    def read(self, question: Any, *arguments: Any) -> Any:
        with self.store.read() as connection:
            return question(connection, *arguments)

    @property
    def wrong(self) -> list[str]:
        """What the running figures say otherwise than the trades do."""
        return self.read(lambda connection: rebuild.differences(connection, self.rules.equity0))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        def ask(connection: Connection) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

        return self.read(ask)  # type: ignore[no-any-return]


@contextmanager
def opened(place: Place, reversal: str = "keep") -> Iterator[Ledger]:
    """The ledger kept at `place`, brought up to date as the service does."""
    store = Store(place, SCHEMA)
    store.submit(lambda connection: rebuild.refresh(connection, EQUITY0)).result()
    try:
        yield Ledger(store, reversal)
    finally:
        store.close()
