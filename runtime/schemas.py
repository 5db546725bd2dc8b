"""The versioned JSON schemas of what the services take: made from what their OpenAPI pages say, kept under docs/schema.

JSON Schema 2020-12. OpenAPI describes the body's fields; here stands, too, what each kind of event cannot do without.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from runtime.payload import Json
from runtime.perf.schema import EVENT_SCHEMA
from runtime.webhook.schema import ALERT_SCHEMA

FOLDER = Path(__file__).parents[1] / "docs" / "schema"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def documents() -> dict[str, Json]:
    """File name -> schema."""
    return {"alert.v1.json": _alert(), "perf-event.v1.json": _event()}


def run(*, check: bool) -> int:
    """What `./inv schema` does; returns its exit status."""
    stale = write(FOLDER, check=check)
    said = "would change" if check else "written"
    sys.stdout.write("".join(f"{said}: {FOLDER / name}\n" for name in stale) or f"{FOLDER}: up to date\n")
    return 2 if check and stale else 0


def write(folder: Path, *, check: bool) -> list[str]:
    """Write those that differ from the files in `folder`, or with `check` only find them; returns their names."""
    stale = []
    for name, schema in documents().items():
        path, text = folder / name, json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return stale


def _alert() -> Json:
    """Without an `event_type` an alert is a SIGNAL."""
    kinds = [
        _when("event_type", "UPDATE", {"required": ["engine", "symbol"], "anyOf": _either("mark", "price")}),
        _when("event_type", "CLOSE", {"required": ["engine", "symbol"], "anyOf": _either("exit", "price")}),
        _when("event_type", "BAR", {"required": ["symbol", "high", "low", "close"]}),
    ]
    others = {"not": {"required": ["event_type"], "properties": {"event_type": {"enum": ["UPDATE", "CLOSE", "BAR"]}}}}
    signal = {"if": others, "then": {"required": ["engine", "signal", "symbol", "tf", "price"]}}
    said = (
        "What POST /tv of the webhook takes, as application/json or text/plain. Numbers may be given as text. A stop "
        "stands on the losing side of the price and a target on the winning one; an engine that is configured needs a "
        "stop. Fields that are not named here are kept with the alert."
    )
    return _document("alert", "An alert", said, ALERT_SCHEMA | {"required": ["key"]}, [*kinds, signal], _ALERTS)


def _event() -> Json:
    by_name = [{"required": ["trade_id"]}, {"required": ["engine", "symbol"]}]
    kinds = [
        _when("type", "OPEN", {"required": ["engine", "symbol", "side", "entry", "qty"]}),
        _when("type", "UPDATE", {"required": ["trade_id", "mark"]}),
        _when("type", "CLOSE", {"required": ["exit"], "anyOf": by_name}),
    ]
    said = (
        "What POST /perf/event of the ledger takes. Numbers may be given as text; amounts are above 0. A stop stands "
        "on the losing side of the entry. Fields that are not named here are ignored."
    )
    return _document("perf-event", "An event of a virtual trade", said, EVENT_SCHEMA, kinds, _EVENTS)


def _document(name: str, title: str, said: str, schema: Json, kinds: list[Json], examples: list[Json]) -> Json:
    head = {"$schema": DIALECT, "$id": f"urn:trading-ops:schema:{name}:v1", "title": title, "description": said}
    return head | schema | {"allOf": kinds, "examples": examples}


def _when(field: str, value: str, then: Json) -> Json:
    return {"if": {"required": [field], "properties": {field: {"const": value}}}, "then": then}


def _either(*names: str) -> list[Json]:
    return [{"required": [name]} for name in names]


_GOLD: Json = {"key": "the webhook's key", "engine": "GOLD_CFD_LONG", "symbol": "XAUUSD"}
_ALERTS: list[Json] = [
    _GOLD | {"signal": "BUY", "tf": "15", "price": 2000, "tp": 2010, "sl": 1995, "reason": "pullback"},
    _GOLD | {"signal": "BUY", "tf": "15", "price": "2001.5", "sl": "1995", "id": "xau-2109", "trade_id": "xau-1"},
    _GOLD | {"event_type": "UPDATE", "trade_id": "xau-1", "mark": 2004.5},
    _GOLD | {"event_type": "CLOSE", "trade_id": "xau-1", "exit": 2008},
    {"key": "the webhook's key", "event_type": "BAR", "symbol": "XAUUSD", "tf": "15", "ts": "2026-02-15T21:00:00Z"}
    | {"open": 2004, "high": 2011, "low": 2003, "close": 2009},
    {"key": "the webhook's key", "engine": "TV_TEST", "signal": "SELL", "symbol": "BTCUSDT.P", "tf": 60, "price": 111}
    | {"tp": 0, "sl": None},
]
_EVENTS: list[Json] = [
    {
        "type": "OPEN",
        "event_id": "e-1",
        "trade_id": "t-1",
        "engine": "GOLD_CFD_LONG",
        "symbol": "XAUUSD",
        "side": "LONG",
    }
    | {"entry": 2000, "stop": 1995, "qty": 3, "risk_usd": 15, "ts": "2026-02-15T21:09:00Z", "meta": {"tf": "15"}},
    {"type": "UPDATE", "trade_id": "t-1", "mark": "2004.5"},
    {"type": "CLOSE", "trade_id": "t-1", "exit": 2008, "qty": 1},
    {"type": "CLOSE", "engine": "GOLD_CFD_LONG", "symbol": "XAUUSD", "exit": 2009},
]
