"""Reading `{secret: NAME, generate: true}` and `{env: NAME}`, and saying what is wrong with anything else.

Nothing here ever quotes a value: what stands where a reference should may be the secret itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ops.role_config import SecretRef
from ops.wording import nearest
from ops.yamlpos import Where

SECRET_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYS = ("secret", "env", "generate")


@dataclass(frozen=True)
class Wrong:
    """A problem and the step below the reference it concerns."""

    text: str
    at: Where = ()


def read_ref(field: str, value: Any, path: str, line: int) -> tuple[SecretRef, Wrong | None]:
    """The reference, or an empty one beside what is wrong with it."""
    nothing = SecretRef(path=path, line=line)
    if not isinstance(value, dict):
        how = f"write {{secret: {field}}} and run ./inv secrets.set {field}"
        return nothing, Wrong(f"{field} is a secret and never stands here in plain text; {how}")
    wrong = _wrong(field, value)
    if wrong:
        return nothing, wrong
    secret, env = value.get("secret"), value.get("env")
    return SecretRef(secret, env, value.get("generate", False), path, line), None


def _wrong(field: str, value: dict[str, Any]) -> Wrong | None:
    for key in value:
        if key not in _KEYS:
            return Wrong(f'"{key}" is not a key here; keys are {", ".join(_KEYS)}{nearest(key, _KEYS)}', (key,))
    if ("secret" in value) == ("env" in value):
        return Wrong(f"{field} is kept in one place: write either {{secret: {field}}} or {{env: {field.upper()}}}")
    if "generate" in value and ("env" in value or not isinstance(value["generate"], bool)):
        return Wrong("generate is true or false, and goes with secret only", ("generate",))
    return _bad_name(value)


def _bad_name(value: dict[str, Any]) -> Wrong | None:
    if "secret" in value and not _matches(SECRET_NAME, value["secret"]):
        return Wrong("a secret's name is lower-case letters, digits and _ (its name, not its value)", ("secret",))
    if "env" in value and not _matches(ENV_NAME, value["env"]):
        return Wrong("a variable's name is letters, digits and _ (its name, not its value)", ("env",))
    return None


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
