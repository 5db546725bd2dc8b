"""The ledger's refused messages join the dead letters of all sinks.

`perf_messages.dead` stays as it is: a release that is rolled back to counts by it.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


_COPY = """
    INSERT INTO dead_letters (sink, ref, reason, ts)
    SELECT 'perf', m.id, m.dead, coalesce(e.ts, '1970-01-01T00:00:00.000000+00:00')
    FROM perf_messages m LEFT JOIN events e ON e.id = m.event_id
    WHERE m.dead IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.sink = 'perf' AND d.ref = m.id)"""


def upgrade() -> None:
    op.execute(_COPY)
