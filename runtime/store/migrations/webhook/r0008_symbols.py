"""A bar finds the open trades on its symbol without reading all that are open."""

from __future__ import annotations

from runtime.store.revisions import index

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    index("trades_open_on", "trades", "symbol", where="closed_by IS NULL")
