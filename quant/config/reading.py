"""Reading config.yaml: every problem at once, each with its path, or a Config; and writing one as it was resolved."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from quant.config.model import Config
from quant.errors import UsageError

_OF_PYDANTIC = ("Range", "list[", "function-")
"""Which member of a union was tried: nothing that stands in the file."""


def load(path: Path) -> Config:
    """Raises UsageError: no such file, not YAML, or what cannot be."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"no file {path}", hint="docs/quant.md has a config.yaml to begin with") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    return parse(given, str(path))


def parse(given: object, where: str = "config.yaml") -> Config:
    """Raises UsageError with one line for each problem."""
    if not isinstance(given, Mapping):
        raise UsageError(f"{where}: expected sections (data, strategy, ...)", hint="docs/quant.md has an example")
    try:
        return Config.model_validate(given)
    except ValidationError as error:
        lines = dict.fromkeys(f"{where}: {_problem(one)}" for one in error.errors())
        raise UsageError("\n".join(lines), hint="docs/quant.md explains every setting") from None


def resolved(config: Config) -> str:
    """config.yaml with every setting told: what a run's folder keeps. Reading it gives the same Config."""
    return yaml.safe_dump(config.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True)


def _problem(one: Any) -> str:
    path = ".".join(part for part in map(str, one["loc"]) if not part.startswith(_OF_PYDANTIC))
    if one["type"] != "extra_forbidden":
        return f"{path}: {one['msg'].removeprefix('Value error, ')}"
    near = difflib.get_close_matches(str(one["loc"][-1]), _names(one["loc"][:-1]), 1)
    return f"{path}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")


def _names(place: tuple[object, ...]) -> list[str]:
    """What stands beside it."""
    model: Any = Config
    for part in map(str, place):
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        model = field.annotation if field else None
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
