"""Text as Telegram takes it: HTML, at most 4096 UTF-16 units, and whatever a stranger wrote only as inert code. Pure.

Source: https://core.telegram.org/bots/api#html-style and #sendmessage.
"""

from __future__ import annotations

import html
import re

LONGEST = 4096
"""UTF-16 units that Telegram takes. It counts them after parsing; we count the tags too, so we never exceed it."""

_SPACES = re.compile(r"\s+")


def units(text: str) -> int:
    """UTF-16 code units: an emoji counts two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def line(value: object, limit: int = 64) -> str:
    """On one line, nothing invisible in it, at most `limit` characters; not escaped yet."""
    text = str(value)
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    text = _SPACES.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def code(value: object, limit: int = 64) -> str:
    """A stranger's text as code: Telegram makes no link, mention, command or tag of what is in it. Empty: nothing."""
    shown = line(value, limit)
    return f"<code>{html.escape(shown, quote=False)}</code>" if shown else ""


def plain(value: object, limit: int = 200) -> str:
    """Our own words, escaped."""
    return html.escape(line(value, limit), quote=False)


def number(value: object, digits: int = 10) -> str:
    """As people write it: 68000, 0.06, 1234567.5; `—` for nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "—"
    return (
        f"{value:,.0f}".replace(",", "") if float(value).is_integer() and abs(value) < 1e15 else f"{value:.{digits}g}"
    )


def money(value: object) -> str:
    """With two decimals and its sign."""
    return f"{value:+.2f}" if isinstance(value, int | float) and not isinstance(value, bool) else "—"


def fit(html: str) -> str:
    """As many whole lines as one message takes; none of our tags goes over a line's end."""
    if units(html) <= LONGEST:
        return html
    lines = html.split("\n")
    while units("\n".join(lines)) > LONGEST - 2:
        lines.pop()
    return "\n".join([*lines, "…"])


def parts(blocks: list[str], gap: str = "\n\n") -> list[list[int]]:
    """Which blocks go together into one message: as many as fit, in order. No block is longer than a message."""
    found: list[list[int]] = []
    size = LONGEST
    for place, block in enumerate(blocks):
        needed = units(gap) + units(block)
        if size + needed > LONGEST:
            found.append([])
            size = -units(gap)
        found[-1].append(place)
        size += needed
    return found
