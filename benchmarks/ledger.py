"""How fast the ledger is when it is large: `python -m benchmarks.ledger [TRADES]`.

The real service, on a ledger file in a temporary folder, asked over a real socket, one question at a time.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles

from benchmarks.runtime.services import environ, running
from runtime import clock
from runtime.perf.tables import SCHEMA
from runtime.store import Store

TARGET_MS = 15.0
PAGES = ("summary", "kpi?by=engine", "kpi?by=hour", "equity?points=1000", "trades?limit=100", "open")
COLUMNS = "trade_id, status, engine, symbol, side, entry, stop, qty, risk_usd, mark, exit, pnl, r, opened_ts, closed_ts"
COLUMNS += ", close_seq, meta"
ENGINES = ("GOLD_CFD_LONG", "USDTM_LONG", "COINM_SHORT", "SWING")


def main() -> int:
    """Print a table; 1 when the summary's p99 is over its target."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        env = environ(Path(folder))
        fill(Path(folder) / "state/perf.db", count)
        start = clock.steady()
        with running("runtime.perf", env) as service:
            port = service.port
            print(f"{count:,} trades, load {os.getloadavg()[0]:.2f}")
            print(f"ready in {clock.steady() - start:.1f} s, all running figures made anew")
            took = {page: asked(port, page) for page in PAGES} | {"POST /perf/event": told(port, 500)}
    print(f"  {'ms':<20} {'median':>8} {'p99':>8}")
    for name, times in took.items():
        print(f"  {name:<20} {median(times):8.2f} {_p99(times):8.2f}")
    return int(_p99(took["summary"]) > TARGET_MS)


def fill(path: Path, count: int) -> None:
    """`count` trades as the first release wrote them, each marked and closed; the service takes them in."""
    chance, start = random.Random(7), datetime(2021, 1, 1, tzinfo=UTC)
    Store(path, SCHEMA).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        for n in range(count):
            rows = _rows(n, clock.iso(start + timedelta(minutes=20 * n)), chance)
            connection.executemany("INSERT INTO history (ts, type, trade_id, body) VALUES (?, ?, ?, ?)", rows[:3])
            connection.execute(f"INSERT INTO trades ({COLUMNS}) VALUES ({', '.join('?' * 17)})", rows[3])  # noqa: S608


def _rows(n: int, ts: str, chance: random.Random) -> tuple[tuple[object, ...], ...]:
    name, engine, mark, leave = f"t{n}", ENGINES[n % 4], 100 + chance.gauss(0, 3), 100 + chance.gauss(0.1, 5)
    side = "SHORT" if engine == "COINM_SHORT" else "LONG"
    pnl = (leave - 100) * (1 if side == "LONG" else -1)
    whose = (name, "CLOSED", engine, f"S{n % 7}", side)
    told = [("OPEN", {"entry": 100}), ("UPDATE", {"mark": mark}), ("CLOSE", {"exit_price": leave})]
    events = [(ts, kind, name, json.dumps({"trade_id": name} | body)) for kind, body in told]
    return (*events, (*whose, 100.0, 95.0, 1.0, 5.0, mark, leave, pnl, pnl / 5, ts, ts, 3 * n + 3, "{}"))


def asked(port: int, page: str, times: int = 500) -> list[float]:
    """Milliseconds of each answer on one kept connection, after a warm-up."""
    connection = HTTPConnection("127.0.0.1", port)
    took = [_answer(connection, "GET", f"/perf/{page}") for _ in range(times + 20)]
    connection.close()
    return took[20:]


def told(port: int, times: int) -> list[float]:
    """Milliseconds of each durable event of a trade that opens and closes, one after the other."""
    connection, took = HTTPConnection("127.0.0.1", port), []
    for n in range(times):
        common = {"trade_id": f"late{n}", "engine": "SWING", "symbol": "S", "side": "LONG"}
        for body in ({"type": "OPEN", "entry": 100, "qty": 1, "stop": 95}, {"type": "CLOSE", "exit": 101}):
            took.append(_answer(connection, "POST", "/perf/event", json.dumps(common | body)))
    connection.close()
    return took


def _answer(connection: HTTPConnection, method: str, path: str, body: str | None = None) -> float:
    start = time.perf_counter()
    connection.request(method, path, body)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    return (time.perf_counter() - start) * 1000


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


if __name__ == "__main__":
    sys.exit(main())
