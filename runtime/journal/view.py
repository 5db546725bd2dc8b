"""Pages of a log book as JSON, for a service that has little memory and must not wait.

What a service tells is at most PAGE_CHARS of text at a time. A small change of the file is indexed at once; a large one
by a process of its own, and until it is done the answer says `indexing` and has what was known before. Every question
raises BookError when the log book cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runtime.journal import fields, markdown
from runtime.journal.filters import Filter
from runtime.journal.hide import Hide
from runtime.journal.index import Asking, Index, Order, Row
from runtime.journal.indexer import Indexer
from runtime.journal.indexing import NoIndex
from runtime.journal.words import spans, terms

AT_ONCE = 256 * 1024
"""Bytes that are indexed while somebody waits."""
PAGE_CHARS = 128 * 1024
SHOWN = ("engine", "symbol", "tf", "signal", "price", "tp", "sl", "reason")

Answer = dict[str, Any]
_NONE: Answer = {"entries": [], "next": None}


class View:
    """Of one log book, with its index at `index`; `known` are values that must not be shown."""

    def __init__(self, book: Path, index: Path, known: tuple[str, ...] = ()) -> None:
        self._book = book
        self._index = Index(book, index, Hide(known))
        self._indexer = Indexer(book, index, known)

    def close(self) -> None:
        self._indexer.stop()

    def page(self, wanted: Filter, before: str = "", limit: int = 20) -> Answer:
        """The newest entries, or those older than `before`; `next` is where to go on, or null. Raises NoEntry."""
        return self._asked(_NONE, lambda asking: _page(asking.page(wanted, before, limit + 1), limit))

    def around(self, key: str, limit: int = 20) -> Answer:
        """The entry that `key` names and those older than it. Raises NoEntry when there is none."""
        return self._asked(_NONE, lambda asking: _page(asking.around(key, limit + 1), limit))

    def search(self, question: str, wanted: Filter, order: Order, limit: int = 20) -> Answer:
        """Entries that have all of `question`, each with its line and where the words stand in it. Raises BookError."""
        asked = terms(question)

        def found(asking: Asking) -> Answer:
            hits = asking.search(question, wanted, order, limit)
            rows = [_head(row) | {"match": line, "marks": spans(line, asked)} for row, line in hits.rows]
            return {"total": hits.total, "is_more": hits.is_more, "hits": rows}

        return self._asked({"total": 0, "is_more": False, "hits": []}, found)

    def todo(self, *, done: bool = False, limit: int = 500) -> Answer:
        """Open points of all sessions, oldest first."""

        def found(asking: Asking) -> Answer:
            points = asking.todo(done=done, limit=limit + 1)
            shown = [point | {"body": markdown.inline(point["text"])} for point in points[:limit]]
            return {"points": shown, "is_more": len(points) > limit}

        return self._asked({"points": [], "is_more": False}, found)

    def _asked(self, nothing: Answer, question: Callable[[Asking], Answer]) -> Answer:
        none = dict.fromkeys(("session", "alert", "note", "text"), 0)
        if not self._book.exists():
            return {"indexing": False, "counts": none, **nothing}
        fresh = not self._indexer.is_running and self._index.refresh(AT_ONCE)
        if not fresh:
            self._indexer.start()
        try:
            with self._index.asking(refresh=False) as asking:
                return {"indexing": not fresh, "counts": asking.counts(), **question(asking)}
        except NoIndex:
            if fresh:
                raise
            return {"indexing": True, "counts": none, **nothing}


def _page(rows: list[Row], limit: int) -> Answer:
    entries = list(_within(rows[:limit]))
    is_more = len(rows) > len(entries)
    return {"entries": entries, "next": entries[-1]["key"] if entries and is_more else None}


def _within(rows: list[Row]) -> Iterator[Answer]:
    """At least one entry, and then as many as there is room for."""
    room = PAGE_CHARS
    for row in rows:
        if room <= 0:
            return
        room -= len(row.piece.raw)
        yield _head(row) | ({"alert": _alert(row)} if row.kind == "alert" else {"body": markdown.tree(row.piece)})


def _head(row: Row) -> Answer:
    """`timestamp` is the entry's own, `day` that of the entries around it."""
    named = {"key": row.key, "line": row.line, "kind": row.kind, "title": row.title, "is_cut": row.is_cut}
    return named | {"timestamp": row.moment[:16] or None, "day": row.place[:10] or None}


def _alert(row: Row) -> Answer:
    found = fields.alert(row.piece.text)
    payload = found.pop("payload")
    shown = {name: None if found[name] is None else str(found[name])[:500] for name in SHOWN}
    return shown | {"payload": None if payload is None else json.dumps(payload, ensure_ascii=False, indent=1)}
