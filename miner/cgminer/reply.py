"""A reply's text as data, whatever state it is in. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from miner.cgminer.errors import ApiRefused, ApiStrange

Row = Mapping[str, Any]
"""One object of a section, keys as cgminer spells them."""

# A string is taken whole, so that nothing inside one is touched; the rest is what firmwares get wrong.
_TOKEN = re.compile(
    r"""(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<number>(?<![\w.])[+-]?(?:nan|inf(?:inity)?)\b(?:\([^)]*\))?)"""
    r"""|(?P<gap>[}\]]\s*(?=[{\[]))|(?P<comma>,\s*(?=[}\]]))""",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"""\\(?P<known>["\\/bfnrt]|u[0-9a-fA-F]{4})?""")
_BAD = ("E", "F")


@dataclass(frozen=True, slots=True)
class Status:
    """`kind`: S success, I information, W warning, E error, F fatal. `when`: seconds since 1970 on cgminer's clock."""

    kind: str
    code: int | None
    message: str
    when: float | None = None

    @property
    def ok(self) -> bool:
        return self.kind not in _BAD


@dataclass(frozen=True, slots=True)
class Reply:
    """What one command was answered. `sections`: SUMMARY, DEVS, POOLS, STATS ...; absent ones are empty.

    The reply to a joined command has `parts` instead, one for each command that was understood.
    """

    command: str
    status: Status
    sections: Mapping[str, tuple[Row, ...]]
    parts: Mapping[str, Reply]

    def rows(self, section: str) -> tuple[Row, ...]:
        return self.sections.get(section, ())

    def row(self, section: str) -> Row:
        """The first of a section, or an empty one."""
        return next(iter(self.rows(section)), {})

    def part(self, command: str) -> Reply:
        """The reply to one of the joined commands; an empty one when there is none."""
        return self if command == self.command else self.parts.get(command, _absent(command))

    def expect(self) -> Reply:
        """Itself. Raises ApiRefused with cgminer's words when it said no."""
        if not self.status.ok:
            raise ApiRefused(f"cgminer refused {self.command}: {self.status.message}", self.status.code)
        return self


def parse(command: str, text: bytes) -> Reply:
    """Raises ApiStrange when this is no reply to anything."""
    found = _load(text)
    if not isinstance(found, dict):
        raise ApiStrange(f"the answer to {command} is not an object but {_begin(text)}")
    if "+" in command and "STATUS" not in found:
        return Reply(command, Status("S", None, ""), {}, dict(_parts(found)))
    return _single(command, found)


def number(row: Row, *keys: str) -> float | None:
    """The first of these that holds a finite number; some firmwares write numbers as text."""
    for key in keys:
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        try:
            found = float(value)
        except (ValueError, OverflowError):
            continue
        if math.isfinite(found):
            return found
    return None


def count(row: Row, *keys: str) -> int | None:
    found = number(row, *keys)
    return None if found is None else int(found)


def text(row: Row, key: str) -> str | None:
    value = row.get(key)
    return value if isinstance(value, str) else None


def flag(row: Row, key: str) -> bool | None:
    """true, "true" and "Y" are one to cgminer."""
    value = row.get(key)
    if isinstance(value, bool):
        return value
    return {"y": True, "true": True, "n": False, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _load(raw: bytes) -> Any:
    said = raw.decode("utf-8", "replace").strip()
    if not said:
        raise ApiStrange("cgminer closed the connection without a word: its --api-allow does not name this address")
    try:
        return json.loads(said, strict=False, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        pass  # cgminer's usual replies are plain JSON: only the others cost the second look
    try:
        return json.loads(_TOKEN.sub(_mended, said), strict=False, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise ApiStrange(f"the answer is no JSON, or was cut off: {_begin(raw)}") from error


def _mended(found: re.Match[str]) -> str:
    if found.lastgroup == "string":
        return (
            found[0] if "\\" not in found[0] else _ESCAPE.sub(lambda one: one[0] if one["known"] else "\\\\", found[0])
        )
    if found["number"]:
        return "null"
    return found["gap"] + "," if found["gap"] else ""


def _parts(found: Mapping[str, Any]) -> Iterable[tuple[str, Reply]]:
    for command, value in found.items():
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield command, _single(command, inner)


def _single(command: str, found: Mapping[str, Any]) -> Reply:
    said = [_status(row) for row in _rows(found.get("STATUS"))]
    worst = next((status for status in said if not status.ok), said[0] if said else Status("S", None, ""))
    sections = {key: _rows(value) for key, value in found.items() if key != "STATUS" and isinstance(value, list | dict)}
    return Reply(command, worst, sections, {})


def _rows(value: Any) -> tuple[Row, ...]:
    """A section is a list of objects; a lone object is one row, what is no object is none."""
    found = value if isinstance(value, list) else [value]
    return tuple(row for row in found if isinstance(row, dict))


def _status(row: Row) -> Status:
    return Status(
        str(row.get("STATUS", "S"))[:1].upper() or "S", count(row, "Code"), str(row.get("Msg", "")), number(row, "When")
    )


def _absent(command: str) -> Reply:
    return Reply(command, Status("E", None, "not answered"), {}, {})


def _begin(raw: bytes) -> str:
    return repr(raw[:60].decode("utf-8", "replace"))
