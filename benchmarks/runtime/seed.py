"""A store that has seen a million alerts, and a ledger with 100,000 trades: made once a schema, kept in .cache."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import ledger
from ops.paths import CACHE
from runtime import clock
from runtime.perf.tables import SCHEMA as LEDGER
from runtime.store import Schema, Store
from runtime.store.tables import SCHEMA as ALERTS

EVENTS = 1_000_000
TRADES = 100_000
OPENS = EVENTS // TRADES  # every tenth alert opened a trade, and the one after the next closed it
SINKS = ("journal", "jsonl", "perf")
LEVELS = {
    "GOLD_CFD_LONG": ("BUY", "XAUUSD", 2000.0, -5.0),
    "INDEX_LONG": ("BUY", "NAS100", 18000.0, -40.0),
    "FX_SHORT": ("SELL", "EURUSD", 1.1, 0.004),
    "OIL_LONG": ("BUY", "USOIL", 70.0, -0.8),
}
Row = dict[str, Any]


def folder(say: Callable[[str], None]) -> Path:
    """What `services.environ` calls a folder, with both files in its `state`, as new whatever was done to it before."""
    name = hashlib.sha256("".join(map(_tables, (ALERTS, LEDGER))).encode()).hexdigest()[:12]
    place = CACHE / f"bench-million-{name}"
    if not (place / "made").exists():
        say(f"seeding {EVENTS:,} events and {TRADES:,} trades, kept in {place}")
        shutil.rmtree(place, ignore_errors=True)
        (place / "state").mkdir(parents=True)
        _fill(place / "state/webhook.db")
        ledger.fill(place / "state/perf.db", TRADES)
        (place / "made").touch()
    restore(place)
    return place


def restore(place: Path) -> None:
    """Forget what was stored since; the sinks have delivered everything."""
    with closing(sqlite3.connect(place / "state/webhook.db")) as connection, connection:
        for query in (
            f"DELETE FROM events WHERE id > {EVENTS}",  # noqa: S608
            f"DELETE FROM perf_messages WHERE id > {2 * TRADES}",  # noqa: S608
            f"DELETE FROM trades WHERE opened_by > {EVENTS}",  # noqa: S608
            "DELETE FROM outbox",
        ):
            connection.execute(query)
        done = [(sink, 2 * TRADES if sink == "perf" else EVENTS) for sink in SINKS]
        connection.executemany("INSERT INTO outbox (sink, delivered) VALUES (?, ?)", done)
    for made in ("journal.md", "events.jsonl"):
        (place / made).unlink(missing_ok=True)


def _tables(schema: Schema) -> str:
    return schema.name + str(schema.head) + Path(__file__).read_text()


def _fill(path: Path) -> None:
    Store(path, ALERTS).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        for table, rows in (("events", _events()), ("trades", _trades()), ("perf_messages", _messages())):
            first = next(rows)
            names = ", ".join(first)
            query = f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in first)})"  # noqa: S608
            connection.execute(query, first)
            connection.executemany(query, rows)


def _ts(number: int) -> str:
    """A minute apart, up to now."""
    return clock.iso(_NOW - timedelta(minutes=EVENTS - number))


_NOW = clock.now()


def _alert(number: int) -> Row:
    engine = list(LEVELS)[number // OPENS % len(LEVELS)]
    signal, symbol, price, stop = LEVELS[engine]
    price *= 1 + number % 1000 / 100_000
    levels = {"price": round(price, 5), "tp": round(price - 2 * stop, 5), "sl": round(price + stop, 5)}
    reason = "breakout of the session range, volume above its mean"
    return {"engine": engine, "signal": signal, "symbol": symbol, "tf": "15", **levels, "reason": reason}


def _events() -> Iterator[Row]:
    for number in range(1, EVENTS + 1):
        alert, step = _alert(number), number % OPENS
        outcome = {1: "opened", 3: "closed", 7: "duplicate", 9: "locked"}.get(step, "recorded")
        opened = outcome == "opened"
        yield alert | {
            "id": number,
            "ts": _ts(number),
            "ip": "52.89.214.238",
            "payload": json.dumps(alert | {"id": f"seed-{number}", "ts": _ts(number)}),
            "outcome": outcome,
            "status": 409 if outcome == "locked" else 200,
            "reason_text": outcome,
            "event_type": "CLOSE" if outcome == "closed" else "SIGNAL",
            "qty": 3.0 if opened else 0.0,
            "risk_usd": 15.0 if opened else 0.0,
            "risk_real_usd": 15.0 if opened else 0.0,
            "dedupe_key": None if outcome in ("duplicate", "locked") else f"id\n{alert['engine']}\nseed-{number}",
            "key_name": "default",
        }


def _trades() -> Iterator[Row]:
    for trade in range(TRADES):
        number = trade * OPENS + 1
        alert = _alert(number)
        yield {
            "trade_id": f"t{trade}",
            "engine": alert["engine"],
            "symbol": alert["symbol"],
            "side": "LONG" if alert["signal"] == "BUY" else "SHORT",
            "entry": alert["price"],
            "stop": alert["sl"],
            "qty": 3.0,
            "opened_by": number,
            "closed_by": number + 2,
            "locked": False,
            "risk_usd": 15.0,
            "opened_ts": _ts(number),
            "closed_ts": _ts(number + 2),
            "exit": alert["price"],
            "pnl": 0.0,
            "r": 0.0,
            "closed_why": "close",
        }


def _messages() -> Iterator[Row]:
    for trade in range(TRADES):
        body = {"trade_id": f"t{trade}", "ts": _ts(trade * OPENS + 1)}
        for kind, after in (("OPEN", 1), ("CLOSE", 3)):
            yield {"event_id": trade * OPENS + after, "body": json.dumps({"type": kind} | body)}


if __name__ == "__main__":
    sys.stdout.write(f"{folder(lambda text: None)}\n")
