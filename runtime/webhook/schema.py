"""How `POST /tv` looks in the service's OpenAPI page."""

from __future__ import annotations

from runtime.payload import Json

_LEVEL: Json = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}

_NAME: Json = {"anyOf": [{"type": "string", "maxLength": 128}, {"type": "integer"}, {"type": "null"}]}

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
        "id": {**_NAME, "description": "the delivery: the same id is the same alert, however often it is sent"},
        "ts": {"description": "the bar's time; without an id, part of what tells a repetition"},
        "event_type": {"type": "string", "enum": ["SIGNAL", "OPEN", "UPDATE", "CLOSE"], "default": "SIGNAL"},
        "trade_id": _NAME,
        "exit": {**_LEVEL, "description": "of a CLOSE; default: the price"},
        "mark": {**_LEVEL, "description": "of an UPDATE; default: the price"},
    },
    "additionalProperties": True,
}

ALERT_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {media: {"schema": _SCHEMA} for media in ("application/json", "text/plain")},
    }
}

_RESET: Json = {"type": "object", "required": ["ops_key"], "properties": {"ops_key": {"type": "string"}}}
RESET_BODY: Json = {"requestBody": {"required": True, "content": {"application/json": {"schema": _RESET}}}}
