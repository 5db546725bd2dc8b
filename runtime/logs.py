"""A service's log: one line an event on stdout, as `key=value` or as JSON; systemd adds the time and the unit.

Bodies, queries and headers are not logged. What happens within a request carries the request's id, which the caller may
choose (X-Request-Id) and always gets back; what was found out about it is said in one line when it has been answered.
"""

from __future__ import annotations

import json
import logging
import re
import secrets as random
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any, Literal, TextIO

from runtime import clock
from runtime.keys import Secret

Style = Literal["text", "json"]

QUIET = {
    "uvicorn": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "telegram": logging.CRITICAL,
}
"""Libraries that would name every request, some with a token in its URL, or every failure that we report ourselves."""

STARS = "********"
SHORTEST = 6
"""A shorter secret would blacken ordinary words, and give itself away by that."""
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_PROCESS, _NUMBERS = random.token_hex(4), count()
_BARE = re.compile(r"[^\s\"'=\\]+")


@dataclass(slots=True)
class Request:
    """What is known of the request at hand: its id, and what its line will say."""

    id: str
    said: dict[str, object] = field(default_factory=dict)


_current: ContextVar[Request | None] = ContextVar("request", default=None)


def begin(given: bytes | None) -> Request:
    """From now on, in this context, a request is at hand. `given`: the id its caller chose, used unless strange."""
    usable = given is not None and _GIVEN_ID.fullmatch(given) is not None
    request = Request(given.decode("ascii") if usable and given else f"{_PROCESS}{next(_NUMBERS):08x}")
    _current.set(request)
    return request


def request_id() -> str | None:
    """The id of the request at hand, or None outside of any."""
    request = _current.get()
    return request.id if request is not None else None


def note(**found: object) -> None:
    """For the line that the request at hand ends with; nothing happens outside of any."""
    request = _current.get()
    if request is not None:
        request.said.update(found)


def tell(fields: dict[str, Any]) -> None:
    """The line of each request, as `logging` would write it. A record of its own would cost more than all the rest.

    `fields` begin with level, logger and msg.
    """
    handlers = logging.root.handlers
    out = handlers[0] if handlers else None
    if isinstance(out, _Out):
        out.tell(fields)
        return
    # Nobody configured the log: a test.
    level, name, msg = (fields.pop(part) for part in ("level", "logger", "msg"))
    logging.getLogger(name).log(logging.ERROR if level == "error" else logging.INFO, msg, extra={"fields": fields})


def configure(*secrets: Secret, style: Style = "text") -> None:
    """Lines on stdout, from INFO on; `secrets` never appear in one, not even in a library's traceback."""
    logging._srcfile = None  # logging's manual, "Optimization": our lines do not say where in the code they come from
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    values = [secret.reveal() for secret in secrets]
    handler = _Out(_Json(values) if style == "json" else _Text(values))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)


class _Out(logging.StreamHandler[TextIO]):
    """Standard output, for records and for lines that are none."""

    def __init__(self, formatter: _OneLine) -> None:
        super().__init__(sys.stdout)
        self.setFormatter(formatter)
        self._line = formatter.told

    def tell(self, fields: dict[str, Any]) -> None:
        line = self._line(fields)
        with self.lock or nullcontext():
            self.stream.write(line + self.terminator)
            self.stream.flush()


class _OneLine(logging.Formatter, ABC):
    """The fields of a record on one line. A secret is starred wherever it came from, in whatever form it is written."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        once = {form for value in secrets if len(value) >= SHORTEST for form in _written(value)}
        forms = once | {again for form in once for again in _written(form)}
        self._secrets = sorted(forms, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        return self.told(self._fields(record))

    def told(self, fields: dict[str, Any]) -> str:
        """On one line, without a secret."""
        line = self.line(fields)
        for secret in self._secrets:
            if secret in line:
                line = line.replace(secret, STARS)
        return line

    @abstractmethod
    def line(self, fields: dict[str, Any]) -> str:
        """How a style writes the fields, secrets and all."""

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = {"level": record.levelname.lower(), "logger": record.name, "msg": record.getMessage()}
        fields.update(getattr(record, "fields", ()))
        request = _current.get()
        if request is not None:
            fields["request"] = request.id
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return fields


class _Text(_OneLine):
    """`level=info logger=runtime.http msg=request status=200 ms=1.2`: values in JSON's quotes where they need any."""

    def line(self, fields: dict[str, Any]) -> str:
        return " ".join(
            [f"{name}={value if type(value) in _PLAIN else _cell(value)}" for name, value in fields.items()]
        )


class _Json(_OneLine):
    def line(self, fields: dict[str, Any]) -> str:
        return json.dumps({"ts": clock.iso(clock.now())} | fields, default=str)


def _written(text: str) -> tuple[str, ...]:
    """As it is, inside JSON, and as Python shows it."""
    return text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]


_PLAIN = frozenset({int, float})
"""What is written as it is."""


def _cell(value: object) -> str:
    return _word(value if isinstance(value, str) else str(value))


@lru_cache(4096)  # the same few words stand in nearly every line
def _word(text: str) -> str:
    return text if text.isprintable() and _BARE.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())
