"""Makes the search index of a log book, and brings it up to date. See `runtime.journal.index` for asking it.

The index is a cache: a file of SQLite with FTS5 that may be deleted at any time. It holds words, times, titles and open
points of the masked text, and where each entry stands; entries themselves are read from the log book. A file that only
grew is read from its last piece on; after any other change the index is made anew beside the old one and renamed over
it, so that others go on searching meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime import clock, disk
from runtime.journal import slices
from runtime.journal.book import BookError, Entry
from runtime.journal.hide import Hide, Span, covered
from runtime.journal.scan import TEXT
from runtime.journal.words import forms, words

VERSION = 2
"""Of what an index holds: one of another version is made anew. The first may have stems of other words."""
BLOCK = 1024 * 1024
SETTLED_NS = 100_000_000
"""A file that was changed so short a time ago may be changed again without its times showing it."""
WAIT_SECONDS = 10.0

SCHEMA = """
CREATE TABLE book (version INTEGER, device INTEGER, inode INTEGER, size INTEGER, stamp TEXT, tail INTEGER,
    tail_line INTEGER, tail_title TEXT, tail_words TEXT, tail_stems TEXT);
CREATE TABLE blocks (number INTEGER PRIMARY KEY, digest BLOB NOT NULL);
CREATE TABLE entries (id INTEGER PRIMARY KEY, start INTEGER NOT NULL, size INTEGER NOT NULL, line INTEGER NOT NULL,
    kind TEXT NOT NULL, moment TEXT NOT NULL, place TEXT NOT NULL, key TEXT NOT NULL, title TEXT NOT NULL);
CREATE INDEX entries_by_place ON entries (place, id);
CREATE INDEX entries_by_kind ON entries (kind, place, id);
CREATE INDEX entries_by_key ON entries (key);
CREATE TABLE points (entry INTEGER NOT NULL, line INTEGER NOT NULL, done INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX points_by_entry ON points (entry);
CREATE VIRTUAL TABLE found USING fts5(title, words, stems, kind, content='', tokenize='ascii');
"""
# `moment` is the entry's own local time (ISO 8601) or empty; `place` that of the last entry that has one: text outside
# entries stands with those around it.


class NoIndex(BookError):
    """There can be no index here: no right to write, no room, or no SQLite with FTS5."""


@dataclass(frozen=True, slots=True)
class _State:
    size: int
    tail: int
    tail_line: int
    tail_row: tuple[str, str, str]


def refresh(book: Path, index: Path, hide: Hide, most: int | None = None) -> bool:
    """Bring `index` up to date with the file. With `most`, in a moment or not at all: False when more than so many
    bytes are to be read for that, or another process is at it.

    Raises BookError when the log book cannot be read, NoIndex when the index cannot be kept.
    """
    fd = opened(book)
    try:
        return is_fresh(fd, index) or _refreshed(fd, index, hide, most)
    except sqlite3.Error as error:
        raise NoIndex(f"{index}: {error}", "free some space, or delete that file: it is made anew") from error
    except OSError as error:
        raise NoIndex(f"{index}: {error.strerror or error}") from error
    finally:
        os.close(fd)


def opened(book: Path) -> int:
    """The log book's descriptor, for reading. Raises BookError."""
    try:
        fd = os.open(book, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would wait for its writer
    except OSError as error:
        raise BookError(f"{book}: {error.strerror or error}", "name the log book: ./inv journal.lint FILE") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise BookError(f"{book} is not a regular file", "name the log book: ./inv journal.lint FILE")
    return fd


def connect(index: Path) -> sqlite3.Connection:
    """The index as it is; raises sqlite3.Error when there is none."""
    return sqlite3.connect(f"{index.absolute().as_uri()}?mode=rw", uri=True, timeout=WAIT_SECONDS, isolation_level=None)


def is_fresh(fd: int, index: Path) -> bool:
    """Whether the index was made of the file as it is now."""
    try:
        with closing(connect(index)) as connection:
            found = connection.execute("SELECT version, stamp FROM book").fetchone()
    except sqlite3.Error:
        return False
    return bool(found == (VERSION, _stamp(os.fstat(fd))))


def _stamp(facts: os.stat_result) -> str:
    return f"{facts.st_dev}:{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}:{facts.st_ctime_ns}"


def _settled(facts: os.stat_result) -> str:
    """The file's stamp, or none when it changed a moment ago: then it is compared by its bytes the next time."""
    age = clock.now().timestamp() * 1e9 - max(facts.st_mtime_ns, facts.st_ctime_ns)
    return _stamp(facts) if age > SETTLED_NS else ""


def _refreshed(fd: int, index: Path, hide: Hide, most: int | None) -> bool:
    index.parent.mkdir(parents=True, exist_ok=True)
    with _alone(index, wait=most is None) as is_ours:
        if not is_ours:
            return False
        if is_fresh(fd, index):  # another process did it meanwhile
            return True
        facts, state = os.fstat(fd), _grown(fd, index)
        if most is not None and facts.st_size - (state.tail if state else 0) > most:
            return False
        if state is None or not _extended(fd, facts, index, state, hide):
            _rebuilt(fd, facts, index, hide)
    return True


@contextmanager
def _alone(index: Path, *, wait: bool) -> Iterator[bool]:
    """One process at a time changes the index. Without `wait`, False while another one does."""
    fd = os.open(index.with_name(f"{index.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


def _grown(fd: int, index: Path) -> _State | None:
    """What the index knows, if every byte that it was made of still stands in the file; else None."""
    try:
        with closing(connect(index)) as connection:
            found = connection.execute("SELECT * FROM book WHERE version = ?", (VERSION,)).fetchone()
            if found is None or found[3] > os.fstat(fd).st_size:
                return None
            known = connection.execute("SELECT digest FROM blocks ORDER BY number")
            same = all(digest == mine for (digest,), mine in zip(known, _digests(fd, found[3]), strict=True))
    except (sqlite3.Error, ValueError):  # ValueError: not as many blocks as there must be
        return None
    return _State(found[3], found[5], found[6], found[7:10]) if same else None


def _digests(fd: int, size: int, first: int = 0) -> Iterator[bytes]:
    for start in range(first * BLOCK, size, BLOCK):
        yield hashlib.sha256(os.pread(fd, min(BLOCK, size - start), start)).digest()


def _extended(fd: int, facts: os.stat_result, index: Path, state: _State, hide: Hide) -> bool:
    """The index with what was appended, in one transaction. False when it turns out to be broken."""
    try:
        with closing(connect(index)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            _forget_tail(connection, state)
            _add(connection, fd, facts, hide, (state.tail, state.tail_line))
            connection.execute("COMMIT")
    except sqlite3.OperationalError:
        if index.exists():
            raise  # no room, or locked: making it anew would not help
        return False  # deleted a moment ago
    except sqlite3.DatabaseError:
        return False
    return True


def _forget_tail(connection: sqlite3.Connection, state: _State) -> None:
    """The last piece is read again: it may go on. A table without content must be told what it held."""
    for row, kind in connection.execute("SELECT id, kind FROM entries WHERE start >= ?", (state.tail,)).fetchall():
        connection.execute("DELETE FROM entries WHERE id = ?", (row,))
        connection.execute("DELETE FROM points WHERE entry = ?", (row,))
        forget = "INSERT INTO found (found, rowid, title, words, stems, kind) VALUES ('delete', ?, ?, ?, ?, ?)"
        connection.execute(forget, (row, *state.tail_row, kind))
    connection.execute("DELETE FROM blocks WHERE number >= ?", (state.size // BLOCK,))


def _rebuilt(fd: int, facts: os.stat_result, index: Path, hide: Hide) -> None:
    beside = index.with_name(f"{index.name}.new")
    beside.unlink(missing_ok=True)
    try:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(connect(beside)) as connection:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;" + SCHEMA)
            _add(connection, fd, facts, hide, (0, 1))
            connection.execute("INSERT INTO found (found) VALUES ('optimize')")
            connection.execute("COMMIT")
        disk.sync(beside)
        index.with_name(f"{index.name}-journal").unlink(missing_ok=True)  # of the old one: it must not be played back
        beside.replace(index)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _add(connection: sqlite3.Connection, fd: int, facts: os.stat_result, hide: Hide, tail: tuple[int, int]) -> None:
    """Index from `tail` (offset, line) to the end, and remember what the file was."""
    rows = _Rows(connection)
    for found in slices.pieces(fd, *tail, facts.st_size):
        rows.add(found, hide)
        tail = (found[-1][0], found[-1][1].line)
    first = int(connection.execute("SELECT count(*) FROM blocks").fetchone()[0])
    digests = enumerate(_digests(fd, facts.st_size, first), first)
    connection.executemany("INSERT INTO blocks VALUES (?, ?)", digests)
    connection.execute("DELETE FROM book")
    known = (VERSION, facts.st_dev, facts.st_ino, facts.st_size, _settled(facts), *tail, *rows.last)
    connection.execute(f"INSERT INTO book VALUES ({', '.join('?' * len(known))})", known)  # noqa: S608 - marks only


class _Rows:
    """Turns pieces into rows. `last` is what was indexed of the last piece."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        known = connection.execute("SELECT id, place FROM entries ORDER BY id DESC LIMIT 1").fetchone()
        self._id: int = known[0] if known else 0
        self._place: str = known[1] if known else ""
        self.last = ("", "", "")

    def add(self, found: list[tuple[int, Entry]], hide: Hide) -> None:
        entries, texts, points = list[tuple[Any, ...]](), list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        secrets = hide.spans(found[0][1].data)
        for start, piece in found:
            self.last = ("", "", "")
            if piece.sort == TEXT and piece.blank:
                continue
            entry = _masked(piece, secrets)
            kind, title, moment = entry.kind, entry.title, entry.moment
            at = moment.isoformat(" ") if moment else ""
            self._id, self._place, self.last = self._id + 1, at or self._place, _tokens(entry.text, title)
            key, size = _key(at, piece.raw), piece.end - piece.start
            entries.append((self._id, start, size, piece.line, kind, at, self._place, key, title))
            texts.append((self._id, *self.last, kind))
            if kind == "session":
                points += [(self._id, one["line"], one["done"], one["text"]) for one in entry.fields["open_points"]]
        self._connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", entries)
        self._connection.executemany(
            "INSERT INTO found (rowid, title, words, stems, kind) VALUES (?, ?, ?, ?, ?)", texts
        )
        self._connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?)", points)


def _masked(piece: Entry, secrets: list[Span]) -> Entry:
    """The piece without the secrets that stand in it; its lines keep their numbers."""
    low, high = piece.start, piece.end
    mine = [(max(start, low) - low, min(end, high) - low) for start, end in secrets if start < high and end > low]
    if not mine:
        return piece
    data = covered(piece.raw, mine)
    return Entry(data, 0, len(data), piece.sort, piece.line)


def _tokens(text: str, title: str) -> tuple[str, str, str]:
    """Of the title, of the whole (folded words in their order), and the stems that are not among them."""
    known = [forms(word) for word in words(text)]
    head = " ".join(form for word in words(title) for form in forms(word))
    return head, " ".join([one[0] for one in known]), " ".join([form for one in known for form in one[1:]])


def _key(moment: str, raw: bytes) -> str:
    """Names an entry in a link: its minute, and what stands in it. It survives what is written above and below."""
    named = moment[:16].replace("-", "").replace(":", "").replace(" ", "T") or "text"
    return f"{named}-{hashlib.blake2b(raw.strip(), digest_size=4).hexdigest()}"
