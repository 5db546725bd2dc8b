"""Pydantic's findings in words a person can act on: what is wrong, what is allowed, what was probably meant."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "a mapping",
    "model": "a mapping",
}


def quoted(value: object) -> str:
    """The value as it would be written in YAML, short enough for one line.

    What has other values in it is not shown: one of them may be a secret that somebody wrote there in plain text.
    """
    if isinstance(value, dict | list | tuple):
        return "the list" if not isinstance(value, dict) else "the mapping"
    text = value if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
    return str(text) if len(str(text)) <= 60 else f"{str(text)[:57]}..."


def nearest(word: object, known: Iterable[str]) -> str:
    """`; did you mean "webhook"?`, or nothing when nothing is near."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def listed(known: Iterable[str]) -> str:
    return ", ".join(known) or "none"


def findings(error: ValidationError) -> list[ErrorDetails]:
    """What is wrong, each once: a list whose items are refused is not called too short as well."""
    found = error.errors(include_url=False)
    places = [detail["loc"] for detail in found]
    return [one for one in found if one["type"] != "too_short" or not any(_is_below(loc, one["loc"]) for loc in places)]


def _is_below(inner: tuple[str | int, ...], outer: tuple[str | int, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def explain(error: ErrorDetails, model: type[BaseModel], *, show: bool = True) -> str:
    """One pydantic error as a sentence. With `show=False` the value itself is never quoted."""
    kind, key = error["type"], str(error["loc"][-1]) if error["loc"] else ""
    value = quoted(error["input"]) if show else "the value"
    if kind == "extra_forbidden":
        known = _keys(model, error["loc"])
        return f'"{key}" is not a key here; keys are {listed(sorted(known))}{nearest(key, known)}'
    if kind == "missing":
        return f"{key} is missing{_wanted(model, error['loc'])}"
    if kind == "literal_error" or kind == "enum":
        return _choice(error, value)
    if kind == "value_error":
        return f"{value}: {error['ctx']['error']}" if show else str(error["ctx"]["error"])
    return f"{value} {_refusal(error)}{_range(model, error['loc'])}"


def _choice(error: ErrorDetails, value: str) -> str:
    choices = re.findall(r"'([^']*)'|\b(\d+)\b", str(error["ctx"]["expected"]))
    known = [text or number for text, number in choices]
    if not isinstance(error["input"], str) and str(error["input"]) in known:
        return f'{value} is a number to YAML; quote it: "{value}"'
    return f"{value} is not allowed; allowed: {listed(known)}{nearest(error['input'], known)}"


def _refusal(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("greater_than_equal", "greater_than"):
        return "is too low"
    if kind in ("less_than_equal", "less_than"):
        return "is too high"
    if kind == "string_pattern_mismatch":
        return f"does not match {context['pattern']}"
    name = _KINDS.get(kind.split("_")[0])
    if name and kind.rsplit("_", 1)[-1] in ("type", "parsing", "float"):
        return f"is not {name}"
    return f"is refused: {error['msg'][0].lower()}{error['msg'][1:]}"


def field_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> FieldInfo | None:
    """The field an error's location ends in."""
    return _walk(model, loc)[0]


def _keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    inner = _plain(_walk(model, loc[:-1])[1])
    return [one.alias or name for name, one in inner.model_fields.items()] if _is_model(inner) else []


def _walk(model: type[BaseModel], loc: tuple[str | int, ...]) -> tuple[FieldInfo | None, Any]:
    """The field at `loc` and what may stand there, through nested models, optional ones, mappings and lists."""
    field: FieldInfo | None = None
    current: Any = model
    for step in loc:
        current = _plain(current)
        if _is_model(current):
            field = current.model_fields.get(str(step))
            current = field.annotation if field else None
        else:
            values = get_args(current)  # a mapping's come last, a list's first
            field, current = None, next(iter(values[1:] if isinstance(step, str) else values), None)
    return field, current


def _plain(annotation: Any) -> Any:
    """Without `Annotated` around it or `| None` beside it."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = next(one for one in get_args(annotation) if one is not NoneType)
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _range(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    field = field_at(model, loc)
    limits = {k: getattr(m, k) for m in (field.metadata if field else []) for k in ("ge", "le") if hasattr(m, k)}
    if {"ge", "le"} <= limits.keys():
        return f"; {loc[-1]} is {limits['ge']} to {limits['le']}"
    return ""


def _wanted(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    field = field_at(model, loc)
    return f"; it is {field.description}" if field and field.description else ""
