"""Bringing a ledger's file to the schema of this release, in place.

Steps go forward only and only add (tables, columns with a default, indexes): after a rollback the release before still
works on the file. `PRAGMA user_version` counts the steps a file has taken; files from before the count are at 0, and
their tables are those of step 1.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from runtime.store import StoreError

BUSY_SECONDS = 5.0

log = logging.getLogger("runtime.perf")

_FIRST = (
    """CREATE TABLE IF NOT EXISTS trades (
        id INTEGER NOT NULL PRIMARY KEY, trade_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, engine TEXT NOT NULL,
        symbol TEXT NOT NULL, side TEXT NOT NULL, entry FLOAT NOT NULL, stop FLOAT, qty FLOAT NOT NULL,
        risk_usd FLOAT, mark FLOAT, exit FLOAT, pnl FLOAT, r FLOAT, opened_ts TEXT NOT NULL, closed_ts TEXT,
        close_seq INTEGER, meta TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS trades_by_close ON trades (close_seq)",
    "CREATE INDEX IF NOT EXISTS trades_by_status ON trades (status)",
    """CREATE TABLE IF NOT EXISTS history (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, ts TEXT NOT NULL, type TEXT NOT NULL, trade_id TEXT NOT NULL,
        body TEXT NOT NULL)""",
)

_PARTS_MARKS_AND_RECEIPTS = (
    "ALTER TABLE trades ADD COLUMN contract TEXT DEFAULT 'linear' NOT NULL",
    "ALTER TABLE trades ADD COLUMN contract_value FLOAT DEFAULT 1 NOT NULL",
    "ALTER TABLE trades ADD COLUMN qty_closed FLOAT DEFAULT 0 NOT NULL",
    "ALTER TABLE trades ADD COLUMN pnl_coin FLOAT",
    "ALTER TABLE trades ADD COLUMN mae FLOAT DEFAULT 0 NOT NULL",
    "ALTER TABLE trades ADD COLUMN mfe FLOAT DEFAULT 0 NOT NULL",
    "ALTER TABLE trades ADD COLUMN marks INTEGER DEFAULT 0 NOT NULL",
    "CREATE INDEX trades_by_engine ON trades (engine)",
    "CREATE INDEX trades_by_symbol ON trades (symbol)",
    "CREATE INDEX trades_at_risk ON trades (engine, risk_usd, qty_closed, qty) WHERE status = 'OPEN'",
    """CREATE TABLE marks (
        seq INTEGER NOT NULL PRIMARY KEY, trade INTEGER NOT NULL, ts TEXT NOT NULL, price FLOAT NOT NULL)""",
    "CREATE INDEX marks_by_trade ON marks (trade)",
    """CREATE TABLE closings (
        seq INTEGER NOT NULL PRIMARY KEY, trade INTEGER NOT NULL, ts TEXT NOT NULL, price FLOAT NOT NULL,
        qty FLOAT NOT NULL, pnl FLOAT NOT NULL, n INTEGER NOT NULL, total FLOAT NOT NULL)""",
    "CREATE INDEX closings_by_trade ON closings (trade)",
    "CREATE INDEX closings_by_n ON closings (n, total)",
    "CREATE TABLE receipts (event_id TEXT NOT NULL PRIMARY KEY, answer TEXT NOT NULL)",
)

_RUNNING_FIGURES = (
    """CREATE TABLE aggregates (
        dimension TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (dimension, name))""",
    """CREATE TABLE days (
        day TEXT NOT NULL PRIMARY KEY, pnl FLOAT NOT NULL, closed INTEGER NOT NULL, wins INTEGER NOT NULL)""",
    """CREATE TABLE basis (
        id INTEGER NOT NULL PRIMARY KEY, version INTEGER NOT NULL, equity0 FLOAT NOT NULL,
        last_event INTEGER NOT NULL)""",
)

STEPS = (_FIRST, _PARTS_MARKS_AND_RECEIPTS, _RUNNING_FIGURES)


def forward(path: Path) -> int:
    """Take the steps that `path` (made when absent) still lacks, all or none; returns how many. Raises StoreError."""
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            return _forward(connection)
    except sqlite3.Error as error:
        raise StoreError(f"cannot bring {path} up to date: {error}") from error


def _forward(connection: sqlite3.Connection) -> int:
    connection.execute("BEGIN IMMEDIATE")
    taken = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if taken > len(STEPS):
        log.warning("the ledger was made by a newer release (schema %d, this one knows %d)", taken, len(STEPS))
    lacking = STEPS[taken:]
    for statement in (one for step in lacking for one in step):
        connection.execute(statement)
    if lacking:
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
    connection.execute("COMMIT")
    return len(lacking)
