"""How an alert looks in journal.md. Pure: the same alert always gives the same text.

The page is Markdown that people read and scripts split at `## `. Whatever a sender wrote stays inside its own line: it
can start no heading, close no fence and open no tag.
"""

from __future__ import annotations

import json
import re
from zoneinfo import ZoneInfo

from runtime import clock
from runtime.payload import Json, dumps

_SPACES = re.compile(r"\s+")
_MARKS = re.compile(r"([\\`<\[])")


def render(alert: Json, zone: ZoneInfo) -> str:
    """One entry, from its heading to the newline after its fence.

    `alert` is a stored payload with `_ts` (UTC ISO 8601); the heading carries the same moment in `zone`.
    """
    local = clock.from_iso(alert["_ts"]).astimezone(zone)
    engine, signal, symbol, tf = (_line(alert[name]) for name in ("engine", "signal", "symbol", "tf"))
    heading = (local.strftime("%Y-%m-%d %H:%M"), "TV Webhook", *map(_cell, (engine, f"{symbol} {tf}", signal)))
    return (
        f"## {' | '.join(heading)}\n"
        f"1. **Signal**: {_code(signal)}\n"
        f"2. **Engine**: {_code(engine)}\n"
        f"3. **Symbol/TF**: {_code(symbol)} / {_code(tf)}\n"
        f"4. **Price**: {_code(_level(alert['price']))}\n"
        f"5. **TP**: {_code(_level(alert['tp']))}\n"
        f"6. **SL**: {_code(_level(alert['sl']))}\n"
        f"7. **Reason**: {_plain(_line(alert['reason']))}\n"
        f"8. **Payload brut**:\n```json\n{_json(alert)}\n```\n"
    )


def _line(value: str) -> str:
    """On one line, with nothing invisible in it."""
    if not value.isprintable():
        value = "".join(letter if letter.isprintable() else " " for letter in value)
    return _SPACES.sub(" ", value).strip()


def _cell(value: str) -> str:
    """The heading's fields are parted by bars."""
    return _plain(value.replace("|", "/"))


def _code(value: str) -> str:
    return f"`{value.replace('`', chr(39))}`"


def _plain(value: str) -> str:
    return _MARKS.sub(r"\\\1", value) or "—"


def _level(value: float | None) -> str:
    return "—" if value is None else str(value)


def _json(alert: Json) -> str:
    """Indented JSON. Backticks and invisible characters are escaped: JSON readers see no difference, Markdown does."""
    text = _indented(alert)
    if "`" not in text and text.replace("\n", "").isprintable():
        return text
    return "".join(_escape(letter) for letter in text)


def _indented(alert: Json) -> str:
    """What `json.dumps(alert, indent=2)` gives, which is ten times slower: only nested values need it."""
    lines = (f"  {dumps(str(name))}: {_value(value)}" for name, value in alert.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _value(value: object) -> str:
    if isinstance(value, dict | list) and value:
        return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False).replace("\n", "\n  ")
    return dumps(value)


def _escape(letter: str) -> str:
    if letter == "\n" or (letter.isprintable() and letter != "`"):
        return letter
    return "\\u0060" if letter == "`" else json.dumps(letter)[1:-1]
