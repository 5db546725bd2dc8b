"""How the webhook's database grew. A step that was released is never changed; a new one is added at the end."""

from __future__ import annotations

STEPS = (
    (
        *(
            f"ALTER TABLE events ADD COLUMN {column}"
            for column in (
                "outcome TEXT",
                "status INTEGER",
                "reason_text TEXT",
                "event_type TEXT",
                "qty FLOAT",
                "risk_usd FLOAT",
                "risk_real_usd FLOAT",
                "trade_id TEXT",
                "dedupe_key TEXT",
            )
        ),
        "CREATE INDEX events_by_dedupe ON events (dedupe_key, id) WHERE dedupe_key IS NOT NULL",
        "CREATE INDEX events_by_engine ON events (engine, id)",
    ),
    (
        *(f"ALTER TABLE events ADD COLUMN {name} TEXT" for name in ("key_name", "guards", "request")),
        "ALTER TABLE outbox ADD COLUMN error TEXT",
        "ALTER TABLE outbox ADD COLUMN failing_since TEXT",
        "ALTER TABLE outbox ADD COLUMN attempts INTEGER DEFAULT 0 NOT NULL",
        # A database from before the router has no such table yet.
        """CREATE TABLE IF NOT EXISTS trades (
            trade_id TEXT NOT NULL, alias TEXT, engine TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
            entry FLOAT NOT NULL, stop FLOAT NOT NULL, qty FLOAT NOT NULL, opened_by INTEGER NOT NULL,
            closed_by INTEGER, locked BOOLEAN NOT NULL, PRIMARY KEY (trade_id))""",
        "CREATE INDEX IF NOT EXISTS trades_open ON trades (engine) WHERE closed_by IS NULL",
        "CREATE INDEX IF NOT EXISTS trades_locked ON trades (locked) WHERE locked",
        *(
            f"ALTER TABLE trades ADD COLUMN {column}"
            for column in (
                "tp FLOAT",
                "risk_usd FLOAT",
                "opened_ts TEXT",
                "closed_ts TEXT",
                "exit FLOAT",
                "pnl FLOAT",
                "r FLOAT",
                "closed_why TEXT",
            )
        ),
    ),
)
