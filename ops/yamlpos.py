"""YAML that remembers where each value was written.

`parse` gives plain Python values beside the line of every key and list item, so that a problem found much later, even
in a value another host inherited, can point at the line a person has to edit. What YAML itself lets pass and nobody
means is reported here: a key written twice, a key that is not text, a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

Where = tuple[str | int, ...]
"""A value's place in the document: `("hosts", "lab", "roles", 1)`."""

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = re.compile(r"[\w-]+")
_MERGE_TAG = "tag:yaml.org,2002:merge"
_DATE_TAG = "tag:yaml.org,2002:timestamp"


def spell(where: Where) -> str:
    """`hosts.lab.roles[1]`, with quotes around a key that holds a dot or a space."""
    text = ""
    for step in where:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _PLAIN.fullmatch(step) else f'"{step}"')
    return text


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in the file, ordered by line."""

    line: int
    path: str
    text: str

    def told(self, name: str) -> str:
        place = f"{name}:{self.line}"
        return f"{place} {self.path}: {self.text}" if self.path else f"{place}: {self.text}"


@dataclass
class Document:
    """A parsed file: its values, the line of each, and everything found wrong so far."""

    name: str
    data: Any = None
    lines: dict[Where, int] = field(default_factory=dict)
    found: set[Problem] = field(default_factory=set)

    def line(self, where: Where) -> int:
        """The line of `where`, or of the nearest thing around it that was written."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def report(self, where: Where, text: str) -> None:
        """Note a problem. One found twice, say by two hosts that inherit one value, is told once."""
        self.found.add(Problem(self.line(where), spell(where), text))

    def problems(self) -> list[str]:
        return [problem.told(self.name) for problem in sorted(self.found)]


def parse(text: str, name: str) -> Document:
    """Read one YAML document. A syntax error comes back as the only problem, with `data` None."""
    document = Document(name)
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if node is not None:
            document.data = _Reader(document, loader).read(node, (), ())
    except yaml.YAMLError as error:
        document.found = {_syntax(error, text)}
    return document


def _syntax(error: yaml.YAMLError, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    column = f" (column {mark.column + 1})" if mark else ""
    lines = text.split("\n")
    tabbed = mark is not None and mark.line < len(lines) and lines[mark.line].lstrip(" ").startswith("\t")
    hint = "; indent with spaces, not tabs" if tabbed else ""
    return Problem(mark.line + 1 if mark else 1, "", f"this is not YAML: {what}{column}{hint}")


class _Reader:
    """Walks the node tree once, building values and noting lines."""

    def __init__(self, document: Document, loader: Any) -> None:
        self.document = document
        self.loader = loader

    def read(self, node: yaml.Node, where: Where, around: tuple[int, ...]) -> Any:
        self.document.lines.setdefault(where, node.start_mark.line + 1)
        if id(node) in around:
            self.document.report(where, "an alias stands inside its own anchor; write the value out")
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, where, (*around, id(node)))
        if isinstance(node, yaml.SequenceNode):
            inner = (*around, id(node))
            return [self.read(item, (*where, i), inner) for i, item in enumerate(node.value)]
        return self.scalar(node, where)

    def mapping(self, node: yaml.MappingNode, where: Where, around: tuple[int, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, where, values)
            if key is not None:
                self.document.lines[*where, key] = key_node.start_mark.line + 1
                values[key] = self.read(value_node, (*where, key), around)
        return values

    def key(self, node: yaml.Node, where: Where, seen: Iterable[str]) -> str | None:
        """The key as text, or None when it cannot be used (reported on its own line)."""
        wrong = None
        if not isinstance(node, yaml.ScalarNode):
            wrong = "a key must be one word, not a list or a mapping"
        elif node.tag == _MERGE_TAG:
            wrong = '"<<" is not used here; a host inherits with like: NAME'
        elif not isinstance(self.scalar(node, where), str):
            wrong = f'YAML reads the key {node.value} as something other than text; quote it: "{node.value}"'
        elif node.value in seen:
            first = self.document.line((*where, node.value))
            wrong = f'"{node.value}" is written twice (first on line {first}); keep one'
        if wrong is None:
            return str(node.value)
        self.document.found.add(Problem(node.start_mark.line + 1, spell(where), wrong))
        return None

    def scalar(self, node: yaml.Node, where: Where) -> Any:
        if node.tag == _DATE_TAG:  # YAML 1.1 makes a date of 2026-02-01; here it is the text that was written
            return node.value
        try:
            return self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self.document.report(where, f"{node.tag} has no meaning here; write a plain value")
            return None
