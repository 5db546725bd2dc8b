"""What the services' OpenAPI pages say of answers: every status that can come, and none that cannot."""

from __future__ import annotations

from runtime.payload import Json

_OF = {
    400: "Not JSON, or a value that cannot be used: `field` names it",
    401: "A bearer token, or the operator's key, is needed from other machines",
    403: "The key is missing or wrong",
    404: "No such trade or entry",
    408: "The body did not arrive in time",
    409: "What is stored does not allow it",
    413: "The body is over 64 kB",
    501: "Not installed here",
    503: "Nothing was stored; sending it again after `Retry-After` seconds can help",
}
_REFUSAL: Json = {
    "type": "object",
    "required": ["ok", "error"],
    "properties": {"ok": {"const": False}, "error": {"type": "string"}, "field": {"type": "string"}},
}
_READINESS: Json = {"type": "object", "required": ["ok", "checks"]}
_NEVER_503 = frozenset({"/health", "/metrics"})


def answers(*statuses: int) -> Json:
    """The refusals a route can give besides those that `describe` knows of, for its `openapi_extra`."""
    return {"responses": {str(status): _refusal(status) for status in statuses}}


def file(*media: str) -> Json:
    """A 200 that is no JSON, to stand among the responses."""
    return {"200": {"description": "The file", "content": {one: {} for one in media}}}


def describe(spec: Json) -> None:
    """Put right, in place, what the framework says of answers: its own 422 never comes, ours do."""
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            _describe(path, method, operation)
    kept = spec.get("components", {}).get("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        kept.pop(name, None)


def _describe(path: str, method: str, operation: Json) -> None:
    responses = operation["responses"]
    for media, told in responses["200"].get("content", {}).items():
        if media == "application/json":
            told["schema"] = {"type": "object"}  # the framework takes a response class of ours for text
    asks = responses.pop("422", None) is not None
    statuses = [400, 408, 413] if method == "post" else [400] if asks else []
    statuses += [] if path in _NEVER_503 else [503]
    for status in statuses:
        responses.setdefault(str(status), _refusal(status))
    if path == "/ready":
        responses["503"] = {"description": "Something fails", "content": {"application/json": {"schema": _READINESS}}}


def _refusal(status: int) -> Json:
    found: Json = {"description": _OF[status], "content": {"application/json": {"schema": _REFUSAL}}}
    if status == 503:
        found["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "seconds"}}
    return found
