"""Entries as a page shows them: Markdown turned into a tree of known tags, or into HTML. Raw HTML stays text.

A node is a text, or a list: its tag, then what its tag needs (see NEEDS), then its children.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from runtime.journal import fields
from runtime.journal.book import Entry

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Node = str | list[Any]
NEEDS = {
    "a": "its address (http, https or mailto, or empty)",
    "pre": "its language",
    "ol": "its first number",
    "todo": "whether it is done, and its line in the log book",
}
LONGEST = 32 * 1024
"""Characters that are read as Markdown; a longer text is shown as it is: some take time that grows as their square."""
_POINTS = fields.SECTIONS[4]
_EMPTY = ("hr", "br")
_MARKS = {"hardbreak": ["br"], "softbreak": "\n"}


@cache
def reader() -> MarkdownIt:
    """CommonMark with tables and struck text, without raw HTML, and without pictures: those are asked for elsewhere."""
    from markdown_it import MarkdownIt  # late: it takes 80 ms and 5 MB

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def tree(entry: Entry) -> list[Node]:
    """What stands below the heading: of a session its sections, with open points as boxes; of others their Markdown."""
    body = entry.text if entry.kind == "text" else entry.text.partition("\n")[2]
    if entry.kind != "session":
        return nodes(body)
    lines, made = entry.text.split("\n"), list[Node]()
    parts = fields.sections(entry.text)
    made += nodes("\n".join(lines[1 : parts[0][2] - 1]))
    points = {point["line"]: point for point in entry.fields["open_points"]}
    for title, text, at in parts:
        made.append(["h4", title])
        made += _boxes(text, entry.line + at, points) if title == _POINTS else nodes(text)
    return made


def _boxes(text: str, line: int, points: dict[int, Any]) -> Iterator[Node]:
    """The list's items as boxes; a text that is more than a list stays Markdown around them."""
    between = list[str]()
    items = list[Node]()
    for at, one in enumerate(text.split("\n"), line):
        if at in points:
            if not items:
                yield from nodes("\n".join(between))
                between = []
            items.append(["todo", points[at]["done"], at, *inline(points[at]["text"])])
        elif one.strip() and not (items and one.startswith((" ", "\t"))):
            if items:
                yield ["todos", *items]
                items = []
            between.append(one)
    if items:
        yield ["todos", *items]
    yield from nodes("\n".join(between))


def inline(text: str) -> list[Node]:
    """A point's text; lines below it may be a list of their own."""
    found = nodes(text)
    return found[0][1:] + found[1:] if found and isinstance(found[0], list) and found[0][0] == "p" else found


def nodes(text: str) -> list[Node]:
    """The Markdown of `text`."""
    if not text.strip():
        return []
    if len(text) > LONGEST:
        return [["pre", "", text]]
    return _built(reader().parse(text))


def _built(tokens: list[Token]) -> list[Node]:
    """Opening and closing tokens as nested lists."""
    stack: list[list[Any]] = [["root"]]
    for token in tokens:
        if token.nesting > 0:
            stack.append(_opened(token))
        elif token.nesting < 0:
            done = stack.pop()
            if token.type == "paragraph_close" and token.hidden:  # of a tight list: its text stands in the item itself
                stack[-1] += done[1:]
            else:
                stack[-1].append(done)
        else:
            stack[-1] += _leaf(token)
    return stack[0][1:]


def _opened(token: Token) -> list[Any]:
    if token.tag == "a":
        address = str(token.attrGet("href") or "")
        return ["a", address if address.lower().startswith(("http://", "https://", "mailto:")) else ""]
    if token.tag == "ol":
        return ["ol", int(token.attrGet("start") or 1)]
    return [token.tag]


def _leaf(token: Token) -> list[Node]:
    if token.type == "inline":
        return _built(token.children or [])
    if token.type in ("fence", "code_block"):
        return [["pre", token.info.split(" ")[0][:20], token.content]]
    if token.type == "code_inline":
        return [["code", token.content]]
    if token.tag in _EMPTY:
        return [[token.tag]]
    return [_MARKS.get(token.type, token.content)]  # type: ignore[list-item]
