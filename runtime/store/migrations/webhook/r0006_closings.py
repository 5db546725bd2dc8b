"""What an event closed is found without reading all trades."""

from __future__ import annotations

from runtime.store.revisions import index

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    index("trades_closed", "trades", "closed_by", where="closed_by IS NOT NULL")
