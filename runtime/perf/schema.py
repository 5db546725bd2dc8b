"""How `POST /perf/event` looks in the service's OpenAPI page."""

from __future__ import annotations

from runtime.payload import Json

_NUMBER: Json = {"anyOf": [{"type": "number"}, {"type": "string"}]}
_OPTIONAL: Json = {"anyOf": [*_NUMBER["anyOf"], {"type": "null"}]}

_SCHEMA: Json = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "enum": ["OPEN", "CLOSE", "UPDATE"]},
        "trade_id": {"type": "string", "maxLength": 128, "description": "OPEN without one is given one"},
        "engine": {"type": "string", "maxLength": 64},
        "symbol": {"type": "string", "maxLength": 64},
        "side": {"type": "string", "enum": ["LONG", "SHORT"]},
        "entry": _NUMBER,
        "stop": _OPTIONAL,
        "qty": _NUMBER,
        "risk_usd": _OPTIONAL,
        "exit": _NUMBER,
        "mark": _NUMBER,
        "ts": {**_OPTIONAL, "description": "ISO 8601 with an offset, or an epoch in seconds or milliseconds"},
        "meta": {"type": "object", "additionalProperties": True},
    },
    "additionalProperties": True,
}

EVENT_BODY: Json = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}
