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
)
