"""Open trades are found by engine and by symbol in one index, and by alias only those that have one.

Each alert that opens a trade wrote into three places for it, of which two were as good as one.
"""

from __future__ import annotations

from runtime.store.revisions import drop_index, index

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    index("trades_open_by", "trades", "engine", "symbol", where="closed_by IS NULL")
    index("trades_open_alias", "trades", "alias", where="closed_by IS NULL AND alias IS NOT NULL")
    for name in ("trades_open", "trades_open_on", "trades_by_alias"):
        drop_index(name, "trades")
