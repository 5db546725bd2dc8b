"""The durable store: SQLite in WAL mode, one writer thread that commits in groups, readers beside it."""

from runtime.store.database import Store
from runtime.store.writer import StoreError, Writer

__all__ = ["Store", "StoreError", "Writer"]
