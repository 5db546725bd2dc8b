"""A log book as one HTML page that needs nothing else: to read, to send, to print. Pure, but for `write`.

No script, no request to anywhere; secrets are masked by who gives the entries.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from runtime.journal import fields, markdown
from runtime.journal.book import BookError, Entry
from runtime.journal.markdown import Node

STYLE = Path(__file__).with_name("export.css")
PLAIN = frozenset(
    ("p", "ul", "li", "strong", "em", "s", "code", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "h4")
)
HEADINGS = frozenset(("h1", "h2", "h3", "h5", "h6"))
MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
          "décembre")  # fmt: skip


def page(entries: Iterable[Entry], title: str) -> Iterator[str]:
    """The page in parts: head, table of contents, then day after day in the order of time."""
    days = _days(entries)
    yield _head(title)
    yield _contents(days)
    for day, found in days:
        yield f'<section class="day" id="d-{day or "x"}">\n<h2>{_day(day)}</h2>\n'
        yield from map(_entry, found)
        yield "</section>\n"
    yield "</main>\n</body>\n</html>\n" if days else "<p>Aucune entrée.</p>\n</main>\n</body>\n</html>\n"


def write(path: Path, parts: Iterable[str]) -> None:
    """The file whole or not at all: written beside, then renamed. Raises BookError."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.writelines(parts)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BookError(f"{path}: {error.strerror or error}", "name a file in a folder that exists") from error


def _days(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """By the day of the entry; text outside entries stands with the entry before it."""
    placed, day = list[tuple[str, Entry]](), ""
    for entry in entries:
        day = entry.moment.isoformat()[:10] if entry.moment else day
        placed.append((day, entry))
    placed.sort(key=lambda one: (one[0], one[1].moment.isoformat() if one[1].moment else ""))
    return [(day, [entry for _, entry in found]) for day, found in groupby(placed, key=lambda one: one[0])]


def _head(title: str) -> str:
    return f"""<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
"""


def _contents(days: list[tuple[str, list[Entry]]]) -> str:
    """A line for each day: its sessions and notes by title, its alerts by number."""
    return f'<nav aria-label="Sommaire">\n<ol>\n{"".join(map(_line, days))}</ol>\n</nav>\n' if days else ""


def _line(one: tuple[str, list[Entry]]) -> str:
    day, found = one
    alerts = sum(entry.kind == "alert" for entry in found)
    named = [escape(entry.title or "—") for entry in found if entry.kind in ("session", "note")]
    said = [*named, *([f"{alerts} alerte{'s' * (alerts > 1)}"] if alerts else [])]
    return f'<li><a href="#d-{day or "x"}">{_day(day)}</a> <span>{" · ".join(said)}</span></li>\n'


def _day(day: str) -> str:
    if not day:
        return "Sans date"
    year, month, number = day.split("-")
    return f"{int(number)}{'er' * (number == '01')} {MONTHS[int(month) - 1]} {year}"


def _entry(entry: Entry) -> str:
    if entry.kind == "alert":
        return _alert(entry)
    time = f"<time>{escape((entry.timestamp or '')[11:16])}</time> " if entry.moment else ""
    title = escape(entry.title if entry.kind != "text" else "Texte hors entrées")
    body = "".join(map(html, markdown.tree(entry)))
    return f'<article class="{entry.kind}">\n<h3>{time}{title}</h3>\n{body}\n</article>\n'


def _alert(entry: Entry) -> str:
    """A row: what a person looks for in an alert. Its payload stays in the log book."""
    found = fields.alert(entry.text)
    levels = " ".join(f"<span>{name} {_said(found[key])}</span>" for name, key in LEVELS if found[key] is not None)
    return (
        f'<article class="alert"><time>{escape((entry.timestamp or "")[11:16])}</time> <b>{_said(found["engine"])}</b> '
        f"<span>{_said(found['signal'])} {_said(found['symbol'])} {_said(found['tf'])}</span> "
        f"<span>{levels}</span> <i>{_said(found['reason'])}</i></article>\n"
    )


LEVELS = (("prix", "price"), ("SL", "sl"), ("TP", "tp"))


def _said(value: Any) -> str:
    return escape("" if value is None else str(value)[:300])


def html(node: Node) -> str:
    """A node of `markdown.tree` as HTML; a tag that is not known is its text alone."""
    if isinstance(node, str):
        return escape(node)
    tag, *rest = node
    if tag in SPECIAL:
        return SPECIAL[tag](rest)
    inner = "".join(map(html, rest))
    if tag in ("hr", "br"):
        return f"<{tag}>"
    if tag in HEADINGS:
        return f'<p class="head"><b>{inner}</b></p>'
    return f"<{tag}>{inner}</{tag}>" if tag in PLAIN else inner


def _children(nodes: list[Any]) -> str:
    return "".join(map(html, nodes))


def _link(rest: list[Any]) -> str:
    address, *children = rest
    inner = _children(children)
    return f'<a href="{escape(address)}" rel="noreferrer noopener">{inner}</a>' if address else inner


def _todo(rest: list[Any]) -> str:
    done, _, *children = rest
    name = "fait" if done else "ouvert"
    box = f'<input type="checkbox" disabled aria-label="{name}"{" checked" * done}>'
    return f"<li>{box} <div>{_children(children)}</div></li>"


SPECIAL = {
    "a": _link,
    "pre": lambda rest: f"<pre><code>{escape(rest[1])}</code></pre>\n",
    "ol": lambda rest: f'<ol start="{int(rest[0])}">{_children(rest[1:])}</ol>',
    "todos": lambda rest: f'<ul class="todos">{_children(rest)}</ul>',
    "todo": _todo,
}
