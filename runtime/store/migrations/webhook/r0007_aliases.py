"""An open trade is found by its sender's name of it without reading all trades."""

from __future__ import annotations

from runtime.store.revisions import index

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    index("trades_by_alias", "trades", "alias", where="closed_by IS NULL")
