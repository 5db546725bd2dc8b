"""Templates under templates/: Jinja2 where an undefined variable is an error, never an empty string."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ops.errors import OpsError
from ops.paths import CACHE, TEMPLATES


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    compiled = CACHE / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - unit and env files, not HTML; values are checked where they enter
        bytecode_cache=FileSystemBytecodeCache(str(compiled)),
    )


def render(template: str, context: Mapping[str, Any]) -> str:
    """The text of templates/<template>. OpsError names the template, the line and the variable that is missing."""
    from jinja2 import TemplateError

    try:
        text: str = _environment().get_template(template).render(context)
    except TemplateError as error:
        number = getattr(error, "lineno", None)
        line = f":{number}" if number else ""
        raise OpsError(f"templates/{template}{line}: {error}") from error
    return text
