"""What open trades risk is a running figure; those of an engine on a symbol are found by an index."""

from __future__ import annotations

from runtime.store.revisions import drop_index, index

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    index("trades_open_on", "trades", "engine", "symbol", where="status = 'OPEN'")
    drop_index("trades_at_risk", "trades")
