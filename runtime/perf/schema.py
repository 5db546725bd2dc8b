"""How `POST /perf/event` looks in the service's OpenAPI page."""

from __future__ import annotations

from runtime import openapi
from runtime.payload import Json

_NUMBER: Json = {"anyOf": [{"type": "number"}, {"type": "string"}]}
_OPTIONAL: Json = {"anyOf": [*_NUMBER["anyOf"], {"type": "null"}]}
_NAME: Json = {"anyOf": [{"type": "string", "maxLength": 128}, {"type": "null"}]}

EVENT_SCHEMA: Json = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "enum": ["OPEN", "CLOSE", "UPDATE"]},
        "event_id": {
            **_NAME,
            "description": "an event that is sent again is answered as the first and changes nothing",
        },
        "trade_id": {
            **_NAME,
            "description": "OPEN without one is given one; CLOSE without one needs engine and symbol",
        },
        "engine": {"type": "string", "maxLength": 64, "description": "test engines never enter the ledger"},
        "symbol": {"type": "string", "maxLength": 64},
        "side": {"type": "string", "enum": ["LONG", "SHORT"]},
        "entry": {**_NUMBER, "description": "price of the opening"},
        "stop": {**_OPTIONAL, "description": "0 or null: unknown"},
        "qty": {**_OPTIONAL, "description": "of an OPEN: its size; of a CLOSE: how much of it (all when absent)"},
        "risk_usd": {**_OPTIONAL, "description": "lost at the stop; absent: worked out from it"},
        "contract": {"type": "string", "enum": ["linear", "inverse"], "default": "linear"},
        "contract_value": {
            **_OPTIONAL,
            "description": "of one contract: units of the symbol (linear) or of the quote currency (inverse); 1",
        },
        "exit": {**_NUMBER, "description": "of a CLOSE: the price"},
        "mark": {**_NUMBER, "description": "of an UPDATE: the price now"},
        "ts": {
            **_OPTIONAL,
            "description": "ISO 8601 with an offset, or an epoch in seconds or milliseconds; at most a day ahead",
        },
        "meta": {"type": "object", "additionalProperties": True, "description": "kept with the trade as it is"},
    },
    "additionalProperties": True,
}

EVENT_BODY: Json = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": EVENT_SCHEMA}}},
    **openapi.answers(401, 404, 409),
}
