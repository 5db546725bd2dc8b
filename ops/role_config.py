"""What a role lets a host decide, and how a host refers to a secret.

A role's settings are a pydantic model derived from `RoleConfig`; a field that must not be read by others is a `Secret`.
The inventory never holds a secret's value, only a `SecretRef` saying where the value is kept.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, SecretStr

Secret = SecretStr

__all__ = ["RoleConfig", "Secret", "SecretRef", "is_ref", "takes_secret"]


class RoleConfig(BaseModel):
    """Base of every role's `Config`: unknown keys are errors, values never change, errors never quote their input."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True)
class SecretRef:
    """`{secret: NAME}`, `{secret: NAME, generate: true}` or `{env: NAME}`, and where it was written."""

    secret: str | None = None
    env: str | None = None
    generate: bool = False
    path: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        return self.secret or self.env or ""


def is_ref(value: object) -> bool:
    """Whether a YAML value is shaped like a reference (so that a merge replaces it whole)."""
    return isinstance(value, Mapping) and bool({"secret", "env"} & value.keys()) and len(value) <= 2


def takes_secret(annotation: Any, path: Sequence[str | int] = ()) -> bool:
    """Whether a value at `path` below a field of type `annotation` may be a secret."""
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        return any(takes_secret(part, path) for part in get_args(annotation))
    if not path:
        return annotation is SecretStr
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(path[0]))
        return field is not None and takes_secret(field.annotation, path[1:])
    inner = [part for part in get_args(annotation) if part is not Ellipsis]
    return bool(inner) and takes_secret(inner[-1], path[1:])
