"""How `POST /tv` looks in the service's OpenAPI page."""

from __future__ import annotations

from runtime.payload import Json

_LEVEL: Json = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}

_SCHEMA: Json = {
    "type": "object",
    "required": ["key", "engine", "signal", "symbol", "tf", "price"],
    "properties": {
        "key": {"type": "string"},
        "engine": {"type": "string", "maxLength": 64},
        "signal": {"type": "string", "enum": ["BUY", "SELL"]},
        "symbol": {"type": "string", "maxLength": 64},
        "tf": {"anyOf": [{"type": "string", "maxLength": 32}, {"type": "number"}]},
        "price": _LEVEL,
        "tp": {**_LEVEL, "description": "0 or null: none"},
        "sl": {**_LEVEL, "description": "0 or null: none"},
        "reason": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "additionalProperties": True,
}

ALERT_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {media: {"schema": _SCHEMA} for media in ("application/json", "text/plain")},
    }
}
