"""The durable store: SQLite or PostgreSQL, one writer thread that commits in groups, readers beside it."""

from runtime.store.database import Store
from runtime.store.errors import StoreError
from runtime.store.schema import Schema
from runtime.store.writer import Writer

__all__ = ["Schema", "Store", "StoreError", "Writer"]
