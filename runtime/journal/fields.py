"""What stands in an entry: an alert's levels and payload, a session's sections and open points."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

SECTIONS = ("Objectifs", "Actions", "Décisions", "Commandes / Code", "Points ouverts")
MASK = "***"
_TITLES = ("objectif", "action", "d", "commande", "point")
_SECTION = re.compile(
    r"^(?:#{3,6} +)?\**([1-9])[.)] *\**"
    r"(Objectifs?|Actions?|D(?:é|e\u0301|e)cisions?|Commandes?(?: */ *Codes?)?|Points? ouverts?)\b[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SECTION_BYTES = re.compile(
    rb"\n(?:#{3,6} +)?\**[1-9][.)] *\**(?:Objectif|Action|D(?:\xc3\xa9|e\xcc\x81|e)cision|Commande|Points? ouvert)",
    re.IGNORECASE,
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ITEM = re.compile(r"[-*+•] +(?:\[([ xX])\] +)?(.*)")
_FIELD = re.compile(r"^\d+\. \*\*([^*\n]+)\*\*: *(.*?) *\r?$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\`<\[])")
_PAYLOAD = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n(.*?)^ {0,3}\1", re.MULTILINE | re.DOTALL)
_LEVELS = ("price", "tp", "sl")


def has_sections(data: bytes, start: int, end: int) -> bool:
    """Whether the entry there has at least one of a session's numbered sections."""
    return _SECTION_BYTES.search(data, start, end) is not None


def alert(text: str) -> dict[str, Any]:
    """engine, symbol, tf, signal, price, tp, sl, reason, payload. What was received (the payload) wins over its
    rendering, a field wins over the heading; what is nowhere is None. The payload's `key` is masked."""
    said = _headed(text) | {name.strip().lower(): value for name, value in _FIELD.findall(_before_fence(text))}
    symbol, _, tf = said.get("symbol/tf", "").partition("` / `")
    shown = {name: _text(said.get(name)) for name in ("engine", "signal", "reason")}
    shown |= {"symbol": _text(symbol), "tf": _text(tf)}
    found = payload(text)
    got = found if isinstance(found, dict) else {}
    fields: dict[str, Any] = {name: got.get(name, shown[name]) for name in ("engine", "symbol", "tf", "signal")}
    fields |= {name: got[name] if name in got else _level(said.get(name)) for name in _LEVELS}
    fields["reason"] = got.get("reason", shown["reason"])
    return fields | {"payload": got | {"key": MASK} if "key" in got else found}


def _headed(text: str) -> dict[str, str]:
    """What an alert's heading says, as its fields would: a last resort, because a bar in a value is lost in it."""
    cells = [cell.strip() for cell in text.partition("\n")[0].split("|")[2:]]
    if len(cells) != 3:
        return {}
    symbol, _, tf = cells[1].rpartition(" ")
    return {"engine": cells[0], "symbol/tf": f"`{symbol}` / `{tf}`", "signal": cells[2]}


def payload(text: str) -> Any:
    """The JSON of an alert's first fenced block; None when there is none or it is not JSON."""
    found = _PAYLOAD.search(text)
    try:
        return json.loads(found.group(2), parse_constant=_no_number) if found else None
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")  # Python would read NaN, and write it


def session(text: str, line: int) -> dict[str, Any]:
    """`sections`: title to text, in the order written; `open_points`: `{"line", "text", "done"}` of each."""
    parts = sections(text)
    points = [point for name, body, at in parts if name == SECTIONS[4] for point in _points(body, line + at)]
    return {"sections": {name: body.strip() for name, body, _ in parts}, "open_points": points}


def sections(text: str) -> list[tuple[str, str, int]]:
    """(title as in SECTIONS, text below it, how many lines of the entry stand before that text)."""
    lines = text.split("\n")
    heads = [(at, name) for at, line in outside_fences(lines) if (name := _section(line))]
    ends = [at for at, _ in heads[1:]] + [len(lines)]
    return [(name, "\n".join(lines[at + 1 : end]), at + 1) for (at, name), end in zip(heads, ends, strict=False)]


def _section(line: str) -> str | None:
    found = _SECTION.match(line)
    if not found:
        return None
    low = found.group(2).lower()
    return next(name for start, name in zip(_TITLES, SECTIONS, strict=True) if low.startswith(start))


def outside_fences(lines: list[str]) -> Iterator[tuple[int, str]]:
    """(index, line) of those that no fenced block holds, without the fences themselves."""
    mark = ""
    for at, line in enumerate(lines):
        fence = _FENCE.match(line)
        if not mark and not (fence and ("`" not in fence.group(2) or fence.group(1)[0] == "~")):
            yield at, line
        elif fence and not mark:
            mark = fence.group(1)
        elif fence and fence.group(1).startswith(mark) and not fence.group(2).strip():
            mark = ""


def _points(body: str, line: int) -> Iterator[dict[str, Any]]:
    """The list's items; lines indented below an item belong to it."""
    item: dict[str, Any] | None = None
    for at, text in enumerate(body.split("\n")):
        found = _ITEM.match(text)
        if found:
            if item:
                yield item
            item = {"line": line + at, "text": found.group(2).strip(), "done": found.group(1) in ("x", "X")}
        elif item and text.startswith((" ", "\t")) and text.strip():
            item["text"] += f"\n{text.rstrip()}"
    if item:
        yield item


def _before_fence(text: str) -> str:
    found = re.search(r"^ {0,3}(?:```|~~~)", text, re.MULTILINE)
    return text[: found.start()] if found else text


def _text(value: str | None) -> str | None:
    if value is None or value == "":
        return None
    plain = value.strip("`") if "`" in value and "\\`" not in value else _ESCAPED.sub(r"\1", value)
    return "" if plain == "—" else plain


def _level(value: str | None) -> float | str | None:
    plain = _text(value)
    try:
        return float(plain) if plain else None
    except ValueError:
        return plain
