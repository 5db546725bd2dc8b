"""What the webhook is measured beside: `python -m benchmarks.runtime.rivals bare|commit`.

Both read an alert with the project's own functions and run on its server settings. `bare` then answers `{"ok": true}`
and stores nothing. `commit` first writes what an opened trade leaves in the store (event, trade, message to the ledger)
in one transaction of its own, WAL and synchronous=FULL, with the standard library's driver and statements that are
ready: no deduplication, no lock, no sizing, no deliveries.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import Any

from fastapi import FastAPI, Request
from sqlalchemy import create_engine

from runtime import api, auth, clock, http, logs, payload, service, settings
from runtime.settings import WebhookSettings
from runtime.store import tables
from runtime.webhook.alert import Alert, read

EVENT = """INSERT INTO events (ts, ip, engine, signal, symbol, tf, price, tp, sl, reason, payload, outcome, status, qty,
    reason_text, event_type, trade_id, dedupe_key) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"""
TRADE = """INSERT INTO trades (trade_id, engine, symbol, side, entry, stop, qty, opened_by, locked)
    VALUES (?,?,?,?,?,?,?,?,?)"""
MESSAGE = "INSERT INTO perf_messages (event_id, body) VALUES (?, ?)"


class Committed:
    """One connection, one transaction for each alert, on the event loop: here a thread would only make it slower."""

    def __init__(self, wanted: WebhookSettings) -> None:
        path = wanted.state / "webhook.db"
        engine = create_engine(f"sqlite:///{path}")
        tables.metadata.create_all(engine)
        engine.dispose()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")

    def store(self, alert: Alert, data: payload.Json, ip: str) -> None:
        ts, run = clock.iso(clock.now()), self._connection.execute
        levels = (alert.engine, alert.signal, alert.symbol, alert.tf, alert.price, alert.tp, alert.sl, alert.reason)
        found = (json.dumps(data, ensure_ascii=False), "opened", 200, 1.0, "opened", alert.kind, alert.trade_id)
        run("BEGIN IMMEDIATE")
        event = run(EVENT, (ts, ip, *levels, *found, alert.dedupe_key)).lastrowid
        name = f"{ts}-{event}"
        run(TRADE, (name, alert.engine, alert.symbol, alert.side, alert.price, alert.sl, 1.0, event, False))
        body = {"type": "OPEN", "trade_id": name, "engine": alert.engine, "symbol": alert.symbol, "ts": ts}
        run(MESSAGE, (event, json.dumps(body | {"side": alert.side, "entry": alert.price, "stop": alert.sl})))
        run("COMMIT")


def made(wanted: WebhookSettings, committed: Committed | None) -> FastAPI:
    keyring = auth.Keyring(wanted.keys)
    app = FastAPI(default_response_class=http.JsonResponse)
    api.install(app)

    @app.post("/tv")
    async def tv(request: Request) -> Any:
        parsed = payload.parse(await http.read_body(request))
        keyring.check(parsed.data.pop("key", None), clock.now())
        data = payload.check(parsed)
        alert = read(data)
        if committed:
            committed.store(alert, data, request.client.host if request.client else "")
        return http.JsonResponse({"ok": True})

    @app.get("/health")
    async def health() -> Any:
        return http.JsonResponse({"ok": True})

    return app


def main(kind: str) -> None:
    wanted = settings.webhook()
    logs.configure()
    app = made(wanted, Committed(wanted) if kind == "commit" else None)
    service.run(app, wanted.listen, settings.environment())


if __name__ == "__main__":
    main(sys.argv[1])
