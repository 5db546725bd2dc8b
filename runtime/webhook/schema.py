"""How `POST /tv` looks in the service's OpenAPI page."""

from __future__ import annotations

from runtime import openapi
from runtime.payload import Json

_LEVEL: Json = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}

_NAME: Json = {"anyOf": [{"type": "string", "maxLength": 128}, {"type": "integer"}, {"type": "null"}]}

ALERT_SCHEMA: Json = {
    "type": "object",
    "required": ["key", "symbol"],
    "properties": {
        "key": {"type": "string", "description": "one of the webhook's keys"},
        "engine": {"type": "string", "maxLength": 64, "description": "of a BAR: absent for the trades of all engines"},
        "signal": {"type": "string", "enum": ["BUY", "SELL"], "description": "in any case"},
        "symbol": {"type": "string", "maxLength": 64, "description": "as the exchange or TradingView writes it"},
        "tf": {
            "anyOf": [{"type": "string", "maxLength": 32}, {"type": "number"}],
            "description": "the chart's time frame, as 60, 1H or M5",
        },
        "price": {**_LEVEL, "description": "above 0, in the symbol's quote currency"},
        "tp": {**_LEVEL, "description": "0 or null: none"},
        "sl": {**_LEVEL, "description": "0 or null: none"},
        "reason": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "for people"},
        "id": {**_NAME, "description": "the delivery: the same id is the same alert, however often it is sent"},
        "ts": {"description": "the bar's time; without an id, part of what tells a repetition"},
        "event_type": {"type": "string", "enum": ["SIGNAL", "OPEN", "UPDATE", "CLOSE", "BAR"], "default": "SIGNAL"},
        "trade_id": {**_NAME, "description": "the sender's own name of a trade; may come again once it is closed"},
        "exit": {**_LEVEL, "description": "of a CLOSE; default: the price"},
        "mark": {**_LEVEL, "description": "of an UPDATE; default: the price"},
        **{name: {**_LEVEL, "description": f"of a BAR: its {name}"} for name in ("open", "high", "low", "close")},
    },
    "additionalProperties": True,
}

ALERT_FIELDS: frozenset[str] = frozenset(ALERT_SCHEMA["properties"]) - {"key"}
"""Everything an alert may say that is understood."""

ALERT_BODY: Json = {
    "requestBody": {
        "description": "A SIGNAL or OPEN needs engine, signal, tf and price too, a BAR high, low and close.",
        "required": True,
        "content": {media: {"schema": ALERT_SCHEMA} for media in ("application/json", "text/plain")},
    },
    **openapi.answers(403, 409),
}

_SCOPE: Json = {"type": "string", "maxLength": 64, "description": "an engine; `*` (default): everything"}
_BY: Json = {"type": "string", "maxLength": 32, "description": "who asks: telegram, task, page"}
_ITEM: Json = {"type": "string", "maxLength": 64}


def _operator(*required: str, **properties: Json) -> Json:
    """An operator's request: the key is in the body, or in the header instead."""
    found: Json = {"ops_key": {"type": "string", "description": "or the header X-Ops-Key"}} | properties
    schema: Json = {"type": "object", "properties": found} | ({"required": list(required)} if required else {})
    body: Json = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    header: Json = {"name": "X-Ops-Key", "in": "header", "required": False, "schema": {"type": "string"}}
    return body | {"parameters": [header]} | openapi.answers(403)


def _above_zero(most: float) -> Json:
    return {"type": "number", "exclusiveMinimum": 0, "maximum": most}


RESET_BODY = _operator()
SCOPE_BODY = _operator(scope=_SCOPE, by=_BY)
PAUSE_BODY = _operator(scope=_SCOPE, minutes=_above_zero(525_600), reason={"type": "string", "maxLength": 200}, by=_BY)
CONFIRM_BODY = _operator(
    "item",
    item={
        "anyOf": [_ITEM, {"type": "array", "items": _ITEM, "minItems": 1}],
        "description": "`all`: the whole checklist",
    },
    scope=_SCOPE,
    hours=_above_zero(744),
    by=_BY,
)
