"""Asks the search index of a log book: its words, its days, its open points. See `runtime.journal.indexing`.

An answer comes from one state of the index and the file that it was made of, and takes time and memory that do not
depend on the size of the log book: at most `limit` entries are read, each up to LONGEST bytes.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runtime.journal import indexing
from runtime.journal.book import KINDS, BookError, Entry, parse
from runtime.journal.filters import Filter
from runtime.journal.hide import Hide
from runtime.journal.indexing import NoIndex
from runtime.journal.words import Term, line, snippet, terms

LONGEST = 64 * 1024
"""Bytes of an entry that are read for an answer; the file has the rest."""
RANKED = 2_000
"""With more matches than so many, only the last of them in the file are looked at."""
LAST = 2**62
TRIES = 5
KEPT = 8
"""Indexes in a checkout's cache."""
Order = Literal["rank", "date"]
_RANK = "bm25(found, 6.0, 1.0, 1.0, 0.0)"  # a word of the title tells as much as six of the text


class NoEntry(BookError):
    """A key that names no entry."""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as the index knows it; `piece` is its masked text, cut at LONGEST (`is_cut`)."""

    id: int
    key: str
    line: int
    kind: str
    moment: str
    place: str
    title: str
    piece: Entry
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Hits:
    """`total` entries match (at least so many, if `is_more`); `rows` are the first of them, each with its line."""

    total: int
    is_more: bool
    rows: list[tuple[Row, str]]


def place(book: Path) -> Path:
    """Where the index of a log book is kept: in the checkout's cache, or on a host in the state folder beside it."""
    checkout = Path(__file__).parents[2]
    cache = checkout / ".cache" / "journal" if (checkout / "tasks.py").exists() else book.absolute().parent / "state"
    name = hashlib.sha256(os.fsencode(book.absolute())).hexdigest()[:12]
    return cache / f"{book.stem}-{name}.index"


def tidy(index: Path) -> None:
    """Delete the indexes beside this one that were used longest ago: of log books that were looked at once."""
    others = sorted(index.parent.glob("*.index"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[KEPT:]:
        if path != index:
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


class Index:
    """The index of one log book. Each call opens what it needs, so that threads and processes may share one.

    Every method raises BookError, NoIndex when there can be no index.
    """

    def __init__(self, book: Path, path: Path, hide: Hide | None = None) -> None:
        self.book, self.path, self.hide = book, path, hide or Hide()

    def refresh(self, most: int | None = None) -> bool:
        """See `indexing.refresh`."""
        return indexing.refresh(self.book, self.path, self.hide, most)

    @contextmanager
    def asking(self, *, refresh: bool = True) -> Iterator[Asking]:
        """One state of index and file. Without `refresh` the index may be behind the file, but never of another one."""
        for _ in range(TRIES):
            if refresh:
                self.refresh()
            fd = indexing.opened(self.book)
            try:
                with closing(indexing.connect(self.path)) as connection:
                    connection.execute("BEGIN")
                    if _is_of(connection, fd):
                        yield Asking(connection, fd, self.hide)
                        return
            except sqlite3.Error as error:
                self._broken(error)
            finally:
                os.close(fd)
        raise NoIndex(f"{self.book} changes faster than it can be indexed", "ask again in a moment")

    def _broken(self, error: sqlite3.Error) -> None:
        """A damaged file is deleted, so that the next try makes it anew; whatever else it is, is told."""
        if isinstance(error, sqlite3.OperationalError) and self.path.exists() and "malformed" not in str(error):
            raise NoIndex(f"{self.path}: {error}", "free some space, or delete that file") from error
        self.path.unlink(missing_ok=True)


def _is_of(connection: sqlite3.Connection, fd: int) -> bool:
    stat = os.fstat(fd)
    known = connection.execute("SELECT device, inode, size FROM book WHERE version = ?", (indexing.VERSION,)).fetchone()
    return known is not None and known[:2] == (stat.st_dev, stat.st_ino) and known[2] <= stat.st_size


class Asking:
    """What can be asked of one state; made by `Index.asking`."""

    def __init__(self, connection: sqlite3.Connection, fd: int, hide: Hide) -> None:
        self._connection, self._fd, self._hide = connection, fd, hide

    def search(self, question: str, wanted: Filter, order: Order = "rank", limit: int = 50) -> Hits:
        """Entries that have all of `question` (see `words.terms`): the most telling first, or the newest first."""
        asked = terms(question)
        match, (where, given) = _match(asked, wanted.kinds), _where(wanted)
        # CROSS JOIN: words first. The planner would rather look up the words of each entry of a kind: minutes.
        # FTS5 skips to a range of rows, so the filter's times are brought to one: a log book is nearly in order.
        frame = f"""FROM found CROSS JOIN entries ON entries.id = found.rowid
            WHERE found MATCH ? {where} AND found.rowid BETWEEN ? AND ?"""
        bound: list[object] = [match, *given, *self._range(wanted)]
        counted = self._all(f"SELECT count(*) FROM (SELECT 1 {frame} LIMIT {RANKED + 1})", *bound)[0][0]  # noqa: S608
        if counted > RANKED:
            lowest = f"SELECT found.rowid {frame} ORDER BY found.rowid DESC LIMIT 1 OFFSET {RANKED}"
            bound[-2] = self._all(lowest, *bound)[0][0]
        sort = f"{_RANK}, place DESC, id DESC" if order == "rank" else "place DESC, id DESC"
        rows = self._all(f"SELECT entries.* {frame} ORDER BY {sort} LIMIT ?", *bound, limit)
        found = [(row, snippet(line(row.piece.text, asked), asked)) for row in map(self._row, rows)]
        return Hits(min(counted, RANKED), counted > RANKED, found)

    def _range(self, wanted: Filter) -> tuple[int, int]:
        if not (wanted.since or wanted.until):
            return 0, LAST
        where, given = _where(wanted)
        low, high = self._all(f"SELECT min(id), max(id) FROM entries WHERE 1 {where}", *given)[0]  # noqa: S608
        return low or 0, high or 0

    def page(self, wanted: Filter, before: str = "", limit: int = 20) -> list[Row]:
        """The newest entries, or those older than the entry whose key is `before`; newest first."""
        where, given = _where(wanted)
        if before:
            where = f"{where} AND (place, id) < (?, ?)"
        query = f"SELECT * FROM entries WHERE 1 {where} ORDER BY place DESC, id DESC LIMIT ?"  # noqa: S608
        return [self._row(row) for row in self._all(query, *given, *(self._stand(before) if before else ()), limit)]

    def around(self, key: str, limit: int = 20) -> list[Row]:
        """The entry that `key` names and those older than it. When it was changed since, the entry of its minute.

        Raises NoEntry when there is none.
        """
        place, row = self._stand(key)
        query = "SELECT * FROM entries WHERE (place, id) <= (?, ?) ORDER BY place DESC, id DESC LIMIT ?"
        return [self._row(one) for one in self._all(query, place, row, limit)]

    def todo(self, *, done: bool = False, limit: int = 500) -> list[dict[str, Any]]:
        """Open points, oldest first; with `done` those that are done too."""
        query = (
            "SELECT points.line, text, done, moment, title, key FROM points JOIN entries ON entries.id = points.entry"
        )
        rows = self._all(f"{query} WHERE done <= ? ORDER BY place, entries.id, points.line LIMIT ?", done, limit)
        names = ("line", "text", "done", "timestamp", "title", "key")
        return [dict(zip(names, row, strict=True)) | {"done": bool(row[2])} for row in rows]

    def counts(self) -> dict[str, int]:
        """Entries by kind."""
        found = dict(self._all("SELECT kind, count(*) FROM entries GROUP BY kind"))
        return {kind: found.get(kind, 0) for kind in KINDS}

    def _stand(self, key: str) -> tuple[str, int]:
        minute, _, _ = key.rpartition("-")
        found = self._all("SELECT place, id FROM entries WHERE key = ? LIMIT 1", key) or self._all(
            "SELECT place, id FROM entries WHERE key >= ? AND key < ? LIMIT 1", f"{minute}-", f"{minute}."
        )
        if not found:
            raise NoEntry(f"no entry {key!r}", "it was changed or removed; search for it")
        return found[0][0], found[0][1]

    def _row(self, row: tuple[Any, ...]) -> Row:
        id_, start, size, at, kind, moment, place_, key, title = row
        data = self._hide.masked(os.pread(self._fd, min(size, LONGEST), start))
        piece = next(parse(data).pieces(), Entry(b"", 0, 0, 0, at))
        whole = Entry(data, 0, len(data), piece.sort, at)
        return Row(id_, key, at, kind, moment, place_, title, whole, size > LONGEST)

    def _all(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, given).fetchall()


def _match(asked: tuple[Term, ...], kinds: tuple[str, ...]) -> str:
    """The question in FTS5's language. Words are letters and digits, so that nothing in them needs escaping."""
    parts = [_term(term) for term in asked]
    if kinds:
        parts.append(f"kind : ({' OR '.join(_quoted(kind) for kind in kinds)})")
    return " AND ".join(parts)


def _term(term: Term) -> str:
    if term.forms:
        return f"{{title words stems}} : ({' OR '.join(map(_quoted, term.forms))})"
    return f"words : {_quoted(' '.join(term.words))}{' *' if term.prefix else ''}"


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))


def _where(wanted: Filter) -> tuple[str, list[str]]:
    """The filter in SQL. Times are compared as text: a day or a minute as `until` takes in all of it.

    An entry that has a time of its own has it as its `place` too, which has an index.
    """
    where, given = "", list[str]()
    if wanted.kinds:
        where, given = f" AND entries.kind IN ({', '.join('?' * len(wanted.kinds))})", list(wanted.kinds)
    if wanted.since:
        where, given = f"{where} AND moment != '' AND place >= ?", [*given, wanted.since]
    if wanted.until:
        where, given = f"{where} AND moment != '' AND place < ?", [*given, f"{wanted.until}~"]
    return where, given
