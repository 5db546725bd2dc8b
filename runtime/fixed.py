"""Values that are made by the thousand: frozen to the type checker, plain when they run.

A dataclass that is frozen at run time sets each of its fields by a call, which costs more than all else in its making;
an alert goes through a dozen of them. Nothing may write to one, which mypy sees to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def fixed(cls: type[T]) -> type[T]:
    """`@dataclass(frozen=True, slots=True)`, for fewer instructions. It has no hash."""
    return dataclass(slots=True)(cls)
