"""The `./inv journal.*` tasks: read a book, write to stdout, return the exit code. Standard library only.

Whatever is printed has passed the masks of runtime.journal.scrub: who wants a secret opens the file.
"""

from __future__ import annotations

import functools
import json as jsonlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ParamSpec

from runtime.journal import book as books
from runtime.journal import fix as fixing
from runtime.journal import scrub as scrubbing
from runtime.journal import todo as points
from runtime.journal.book import Book, BookError, Entry
from runtime.journal.lint import lint as problems_of
from runtime.journal.local import heading_time, order_zone
from runtime.journal.replace import rewrite
from runtime.journal.words import search as searched

DEFAULT = Path(__file__).parents[2] / "journal.md"
CHANGES = 2
P = ParamSpec("P")


def told(command: Callable[P, int]) -> Callable[P, int]:
    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return command(*args, **kwargs)
        except BookError as error:
            sys.stderr.write(f"error: {error}\n" + (f"  -> {error.hint}\n" if error.hint else ""))
            return 1

    return run


@told
def lint(file: str, *, json: bool = False) -> int:
    """1 when there is a problem."""
    path = _path(file)
    counts, problems = problems_of(books.read(path), order_zone())
    if json:
        _json({"file": str(path), "counts": counts, "problems": [asdict(problem) for problem in problems]})
    else:
        _lines(f"{path}:{found.line}: {found.problem}: {found.message}" for found in problems)
        _lines([", ".join(f"{count} {kind}" for kind, count in counts.items())])
    return 1 if problems else 0


@told
def list_(file: str, *, json: bool = False, kind: str | None = None) -> int:
    """One line, or one object in an array, for each entry."""
    entries = [entry for entry in _shown(file).entries() if kind in (None, entry.kind)]
    if kind not in (None, *books.KINDS):
        raise BookError(f"no kind {kind!r}", f"there are {', '.join(books.KINDS)}")
    if json:
        _json([_object(entry) for entry in entries])
    else:
        _lines(map(_row, entries))
    return 0


@told
def show(which: str, file: str) -> int:
    """The entry on a line, or all whose time begins so."""
    book = _shown(file)
    entries = [entry for entry in book.entries() if _is(entry, which)]
    if not entries:
        raise BookError(f"no entry {which!r}", "its line, or how its time begins: ./inv journal.list shows both")
    _lines(entry.text.strip() + "\n" for entry in entries)
    return 0


@told
def search(words: str, file: str, *, json: bool = False) -> int:
    """1 when nothing was found, like grep."""
    hits = list(searched(_shown(file), words))
    if json:
        _json([_object(entry) | {"match": line} for entry, line in hits])
    else:
        _lines(f"{_row(entry)}\n      {line[:160]}" for entry, line in hits)
    return 0 if hits else 1


@told
def tail(file: str, count: int = 5) -> int:
    """The last entries, whole."""
    _lines(entry.text.strip() + "\n" for entry in list(_shown(file).entries())[-count:] if count > 0)
    return 0


@told
def stats(file: str, *, json: bool = False) -> int:
    """How many of what, from when to when."""
    found = _stats(_shown(file))
    if json:
        _json(found)
    else:
        _lines(f"{name:<12} {_counts(value)}" for name, value in found.items())
    return 0


@told
def todo(file: str, *, json: bool = False, done: int | None = None, all: bool = False) -> int:
    """The open points, oldest first; or one of them ticked off, by its line."""
    if done is not None:
        backup = rewrite(_path(file), lambda data: points.ticked(data, done))
        sys.stderr.write(f"line {done} is done; the file as it was: {backup}\n")
        return 0
    found = [point for point in points.points(_shown(file)) if all or not point["done"]]
    if json:
        _json(found)
    else:
        _lines(map(_point, found))
    return 0


@told
def fix(file: str, *, check: bool = False, json: bool = False) -> int:
    """With `check`: 2 when something would be moved."""
    path, backup = _path(file), None
    book = books.read(path)
    moved = fixing.parasites(book)
    if not check and moved:
        when = heading_time()
        backup = rewrite(path, lambda data: fixing.fixed(data, when))
    if json:
        pieces = [{"line": piece.line, "bytes": len(piece.raw)} for piece in moved]
        _json({"file": str(path), "changes": pieces, "written": bool(backup), "backup": backup and str(backup)})
    else:
        word = "would be moved" if check else "moved"
        _lines(f"{path}:{piece.line}: {len(piece.raw)} bytes {word} to the end" for piece in moved)
        _lines([f"the file as it was: {backup}"] if backup else [] if moved else ["nothing to move"])
    return CHANGES if check and moved else 0


@told
def scrub(file: str, *, json: bool = False, write: bool = False) -> int:
    """2 when there are secrets and they were left where they are."""
    path, backup = _path(file), None
    found = scrubbing.find(books.read(path).data)
    if write and found:
        backup = rewrite(path, scrubbing.masked)
    if json:
        told = [{"kind": one.kind, "line": one.line, "preview": one.preview, "rotate": one.rotate} for one in found]
        _json({"file": str(path), "findings": told, "written": bool(backup), "backup": backup and str(backup)})
    else:
        _lines(f"{path}:{one.line}: {one.kind}: {one.preview}: {one.rotate}" for one in found)
        _lines([f"masked; the file as it was, secrets included: {backup} (delete it)"] if backup else [])
    return CHANGES if found and not write else 0


def path_of(file: str) -> Path:
    """The log book that a task was told, or this checkout's."""
    return _path(file)


def _path(file: str) -> Path:
    return Path(file).expanduser() if file else DEFAULT


def _shown(file: str) -> Book:
    return books.parse(scrubbing.masked(books.read(_path(file)).data))


def _object(entry: Entry) -> dict[str, Any]:
    return {
        "start_line": entry.line,
        "end_line": entry.line + max(len(entry.raw.rstrip().split(b"\n")) - 1, 0),
        "timestamp": entry.timestamp,
        "kind": entry.kind,
        "title": entry.title,
        "fields": entry.fields,
    }


def _row(entry: Entry) -> str:
    return f"{entry.line:>6}  {entry.timestamp or '-':<16}  {entry.kind:<7}  {entry.title}"


def _point(point: dict[str, Any]) -> str:
    text = point["text"].replace("\n", "\n" + " " * 27)
    return f"{point['line']:>6}  {point['timestamp']}  [{'x' if point['done'] else ' '}] {text}"


def _is(entry: Entry, which: str) -> bool:
    return str(entry.line) == which or ("-" in which and (entry.timestamp or "").startswith(which))


def _stats(book: Book) -> dict[str, Any]:
    kinds, engines, days, times = Counter[str](), Counter[str](), Counter[str](), list[str]()
    for entry in book.entries():
        kinds[entry.kind] += 1
        if entry.timestamp:
            times.append(entry.timestamp)
            days[entry.timestamp[:10]] += 1
        if entry.kind == "alert":
            engines[str(entry.fields["engine"])] += 1
    span = {"first": min(times, default=None), "last": max(times, default=None)}
    still = sum(not point["done"] for point in points.points(book))
    counted = {"kinds": dict(kinds), "days": dict(days), "engines": dict(engines)}
    return {"bytes": len(book.data), "open_points": still, **span, **counted}


def _counts(value: Any) -> str:
    return ", ".join(f"{name} {count}" for name, count in value.items()) if isinstance(value, dict) else str(value)


def _json(value: Any) -> None:
    sys.stdout.write(jsonlib.dumps(value, ensure_ascii=False, indent=2).encode(errors="replace").decode() + "\n")


def _lines(lines: Iterable[str]) -> None:
    """Without the control characters that a terminal would obey."""
    for line in lines:
        letters = (letter if letter.isprintable() or letter in "\n\t" else "�" for letter in line.replace("\r", ""))
        sys.stdout.write("".join(letters) + "\n")
