"""A ledger made by an older release is brought forward in place, and loses nothing."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runtime.perf import report
from runtime.perf.tables import SCHEMA
from runtime.store import Store, StoreError
from tests.runtime.ledger_kit import EQUITY0, opened

# The schema of the first release, as it made it.
FIRST = """
CREATE TABLE trades (id INTEGER NOT NULL, trade_id TEXT NOT NULL, status TEXT NOT NULL, engine TEXT NOT NULL,
  symbol TEXT NOT NULL, side TEXT NOT NULL, entry FLOAT NOT NULL, stop FLOAT, qty FLOAT NOT NULL, risk_usd FLOAT,
  mark FLOAT, exit FLOAT, pnl FLOAT, r FLOAT, opened_ts TEXT NOT NULL, closed_ts TEXT, close_seq INTEGER,
  meta TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (trade_id));
CREATE INDEX trades_by_close ON trades (close_seq);
CREATE INDEX trades_by_status ON trades (status);
CREATE TABLE history (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, ts TEXT NOT NULL, type TEXT NOT NULL,
  trade_id TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE store_probe (id INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (id));
"""
TS = "2026-02-16T{:02}:00:00.000000+00:00"


def first_release(connection: sqlite3.Connection, name: str, closed_at: float | None, *marks: float) -> None:
    """What the first release wrote for a trade: 10 LONG at 100 with 50 at risk, its marks, its close."""

    def remember(kind: str, body: dict[str, Any]) -> int | None:
        row = (TS.format(11), kind, name, json.dumps({"trade_id": name} | body))
        return connection.execute("INSERT INTO history (ts, type, trade_id, body) VALUES (?, ?, ?, ?)", row).lastrowid

    columns = "(trade_id, status, engine, symbol, side, entry, stop, qty, risk_usd, opened_ts, meta)"
    row = (name, "OPEN", "E", "S", "LONG", 100.0, 95.0, 10.0, 50.0, TS.format(10), '{"tf": "15"}')
    connection.execute(f"INSERT INTO trades {columns} VALUES ({', '.join('?' * 11)})", row)  # noqa: S608
    remember("OPEN", {"entry": 100.0})
    for price in marks:
        remember("UPDATE", {"mark": price})
        connection.execute("UPDATE trades SET mark = ? WHERE trade_id = ?", (price, name))
    if closed_at is not None:
        sequence, profit = remember("CLOSE", {"exit_price": closed_at}), (closed_at - 100.0) * 10.0
        done = (closed_at, profit, profit / 50.0, TS.format(12), sequence, name)
        changes = "status = 'CLOSED', exit = ?, pnl = ?, r = ?, closed_ts = ?, close_seq = ?"
        connection.execute(f"UPDATE trades SET {changes} WHERE trade_id = ?", done)  # noqa: S608


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "perf.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(FIRST)
        first_release(connection, "won", 110.0, 98.0, 112.0)
        first_release(connection, "lost", 95.0)
        first_release(connection, "open", None, 103.0)
    return path


def test_an_old_ledger_keeps_all_it_had(old: Path) -> None:
    with opened(old) as book:
        told = book.read(report.summary, EQUITY0)
        assert (told["total_trades"], told["closed_trades"], told["pnl_realized"]) == (3, 2, 50)
        assert (told["avg_r"], told["max_dd"], told["equity_last"]) == (0.5, 50, 10_050)
        assert told["open_risk_by_engine"] == {"E": 50}
        trades = book.rows("SELECT trade_id, mae, mfe, marks, qty_closed, contract FROM trades ORDER BY id")
        assert trades == [
            ("won", 20, 120, 2, 10, "linear"), ("lost", 50, 0, 0, 10, "linear"), ("open", 0, 30, 1, 0, "linear"),
        ]  # fmt: skip
        assert book.rows("SELECT price, qty, pnl, n, total FROM closings") == [
            (110, 10, 100, 1, 100),
            (95, 10, -50, 2, 50),
        ]
        assert book.wrong == []
        assert book.close("open", 101, qty=5)["part"] == {"qty": 5, "pnl": 5}
        assert book.wrong == []


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "perf.db"
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(StoreError, match=r"perf\.db"):
        Store(path, SCHEMA)


def test_what_an_older_release_wrote_after_a_rollback_is_taken_in(old: Path) -> None:
    with opened(old) as book:
        book.open("parts")
        book.close("parts", 104, qty=5)
    with closing(sqlite3.connect(old)) as connection, connection:
        first_release(connection, "meanwhile", 120.0, 90.0)
        sequence = connection.execute("SELECT max(id) + 1 FROM history").fetchone()[0]
        body = json.dumps({"trade_id": "parts", "exit_price": 104.0})
        connection.execute("INSERT INTO history VALUES (?, ?, 'CLOSE', 'parts', ?)", (sequence, TS.format(13), body))
        done = "status = 'CLOSED', exit = 104, pnl = 40, r = 0.8, closed_ts = ?, close_seq = ?"
        connection.execute(f"UPDATE trades SET {done} WHERE trade_id = 'parts'", (TS.format(13), sequence))  # noqa: S608
    with opened(old) as book:
        assert book.wrong == []
        assert book.read(report.summary, EQUITY0)["pnl_realized"] == 50 + 200 + 40
        assert book.rows("SELECT mae, mfe, marks FROM trades WHERE trade_id = 'meanwhile'") == [(100, 200, 1)]
        assert book.rows("SELECT qty, pnl FROM closings ORDER BY seq DESC LIMIT 1") == [(5, 20)]
