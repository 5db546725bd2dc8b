"""No secret reaches a screen, a file or a machine-readable answer: each is replaced by its name.

A value is looked for as it is and in the forms output gives it: inside JSON, in a URL, in base64 (at any of the three
alignments, so that a basic-auth header is caught), quoted for a shell, as Python shows it, line by line.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

SHORTEST = 6
"""A shorter value would blacken ordinary words and give itself away by that."""


class Redactor:
    """Replaces every secret of a `name -> value` mapping by `‹secret:NAME›`, the longest forms first."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names: dict[str, str] = {}
        for name, value in secrets.items():
            if len(value) >= SHORTEST:
                self._names |= {form: self._names.get(form, name) for form in _forms(value)}
        longest_first = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(self._label, text) if self._pattern else text

    def _label(self, found: re.Match[str]) -> str:
        label = f"‹secret:{self._names[found[0]]}›"
        return "‹…›" if any(form in label for form in self._names) else label

    def obj(self, value: Any) -> Any:
        """The same for JSON-like values: keys, values and numbers, at any depth. Other values are left as they are."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self.obj(key): self.obj(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([self.obj(inner) for inner in value])
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            text = str(value)
            hidden = self(text)
            return value if hidden == text else hidden
        return value


def redact_obj(secrets: Mapping[str, str], value: Any) -> Any:
    """`Redactor(secrets).obj(value)`, for a single use."""
    return Redactor(secrets).obj(value)


def _forms(value: str) -> set[str]:
    forms = {value, *value.splitlines(), *_base64(value.encode("utf-8", "surrogatepass"))}
    for text in (value, *value.splitlines()):
        forms |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
        forms |= {shlex.quote(text), text.replace("'", "'\"'\"'"), text.replace("'", "'\\''")}
        forms |= {quote(text, errors="replace"), quote(text, "", errors="replace"), quote_plus(text, errors="replace")}
    return {form for form in forms if len(form) >= SHORTEST}


def _base64(value: bytes) -> Iterator[str]:
    """The characters that depend on `value` alone, however many bytes stand before it."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value).decode()
        first = (0, 2, 3)[before]
        last = (before + len(value)) * 8 // 6
        for text in (whole[first:last], whole[first:].rstrip("=") if not before else ""):
            yield text
            yield text.translate(str.maketrans("+/", "-_"))


class RedactedStream:
    """A text stream that hides secrets. Lines are kept until they end, so that a secret in two writes is still seen."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream, self._redact, self._held = stream, redact, ""

    def write(self, text: str) -> int:
        whole, newline, self._held = (self._held + text).rpartition("\n")
        if newline:
            self._stream.write(self._redact(whole + newline))
        return len(text)

    def flush(self) -> None:
        """Writes an unfinished line too: a prompt or a progress bar."""
        self._stream.write(self._redact(self._held))
        self._held = ""
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class RedactingFilter(logging.Filter):
    """Put on a handler: no record passes with a secret in its message or its traceback."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._redact(record.exc_text)
        return True
