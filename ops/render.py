"""Templates under templates/: Jinja2 where an undefined variable is an error, never an empty string."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ops.errors import OpsError
from ops.paths import CACHE, ROOT, TEMPLATES
from ops.role_config import Secret

STACKS = ("blockdag",)
"""What a container stack is made from stands in its folder at the top, beside the code that looks after it."""


def _no_stars(value: Any) -> Any:
    """A secret prints as stars, which would be written to the host as if they were its value."""
    from jinja2 import TemplateRuntimeError

    if isinstance(value, Secret):
        raise TemplateRuntimeError(
            "a secret would be written as stars: use its .get_secret_value(), in a secret file only"
        )
    return value


@cache
def _environment() -> Any:
    from jinja2 import (
        ChoiceLoader,
        Environment,
        FileSystemBytecodeCache,
        FileSystemLoader,
        PrefixLoader,
        StrictUndefined,
    )

    stacks = {name: FileSystemLoader(ROOT / name) for name in STACKS}
    compiled = CACHE / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), PrefixLoader(stacks)]),
        undefined=StrictUndefined,
        finalize=_no_stars,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - unit and env files, not HTML; values are checked where they enter
        bytecode_cache=FileSystemBytecodeCache(str(compiled)),
    )


def place(template: str) -> Path:
    """Its file."""
    return (ROOT if _is_of_a_stack(template) else TEMPLATES) / template


def _is_of_a_stack(template: str) -> bool:
    return template.partition("/")[0] in STACKS


def render(template: str, context: Mapping[str, Any]) -> str:
    """The text of the template. OpsError names the template, the line and the variable that is missing."""
    from jinja2 import TemplateError

    try:
        text: str = _environment().get_template(template).render(context)
    except TemplateError as error:
        shown = template if _is_of_a_stack(template) else f"templates/{template}"
        raise OpsError(f"{shown}{_line(error, template)}: {error}") from error
    return text


def _line(error: Exception, template: str) -> str:
    """An undefined variable's error does not know its line, but Jinja rewrites the traceback to the template's."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(place(template))]
    number = getattr(error, "lineno", None) or (lines[-1] if lines else None)
    return f":{number}" if number else ""
