"""The `./inv journal.*` tasks: read a book, write to stdout, return the exit code.

Whatever is printed has passed the masks of runtime.journal.scrub: who wants a secret opens the file.
"""

from __future__ import annotations

import functools
import json as jsonlib
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ParamSpec, get_args

from runtime.journal import book as books
from runtime.journal import export as exporting
from runtime.journal import filters, printing
from runtime.journal import fix as fixing
from runtime.journal import scrub as scrubbing
from runtime.journal import todo as points
from runtime.journal.book import Book, BookError, Entry
from runtime.journal.filters import Filter
from runtime.journal.index import Index, Order, tidy
from runtime.journal.index import place as index_place
from runtime.journal.indexing import NoIndex
from runtime.journal.lint import is_parasite
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
    kept = filters.wanted(kind)
    entries = [entry for entry in _shown(file).entries() if kept.keeps(entry)]
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
def search(
    words: str,
    file: str,
    kind: str | None = None,
    since: str | None = None,
    until: str | None = None,
    *,
    json: bool = False,
    sort: str = "rank",
    limit: int = 20,
) -> int:
    """1 when nothing was found, like grep."""
    wanted = filters.wanted(kind, since, until)
    if sort not in get_args(Order) or limit < 1:
        raise BookError(f"--sort {sort} --limit {limit}", "--sort rank or --sort date; a limit from 1 on")
    total, hits = _hits(words, _path(file), wanted, "date" if sort == "date" else "rank", limit)
    if json:
        _json([_object(entry) | {"match": line} for entry, line in hits])
    else:
        _lines(f"{_row(entry)}\n      {line}" for entry, line in hits)
        _note(f"the first {len(hits)} of {total}; --limit shows more" if str(len(hits)) != total else "")
    return 0 if hits else 1


def _hits(words: str, path: Path, wanted: Filter, sort: Order, limit: int) -> tuple[str, list[tuple[Entry, str]]]:
    """How many there are, and the first of them; read from the file where there can be no index."""
    place = index_place(path)
    try:
        with Index(path, place).asking() as asking:
            tidy(place)
            found = asking.search(words, wanted, sort, limit)
        return f"{found.total}{'+' * found.is_more}", [(row.piece, line) for row, line in found.rows]
    except NoIndex as error:
        _note(f"searched without an index: {error}")
    every = [(entry, line) for entry, line in searched(_shown(str(path)), words) if wanted.keeps(entry)]
    return str(len(every)), every[-limit:][::-1]


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
def export(
    file: str,
    html: str | None,
    pdf: str | None,
    kind: str | None = None,
    since: str | None = None,
    until: str | None = None,
    title: str = "",
) -> int:
    """One page for people, as HTML, as PDF, or as both."""
    wanted, outs = filters.wanted(kind, since, until), [Path(out).expanduser() for out in (html, pdf) if out]
    if not outs:
        raise BookError("say what to write", "./inv journal.export --html journal.html, or --pdf journal.pdf")
    entries = [entry for entry in _shown(file).entries() if wanted.keeps(entry) and not _is_title(entry)]
    with tempfile.TemporaryDirectory() as folder:
        written = Path(html).expanduser() if html else Path(folder) / "journal.html"
        exporting.write(written, exporting.page(entries, title or _path(file).stem))
        if pdf:
            printing.pdf(written, Path(pdf).expanduser())
    _note(f"{len(entries)} entries in {' and '.join(map(str, outs))}")
    return 0


def _is_title(entry: Entry) -> bool:
    """`# Title` at the top: the page has a title of its own."""
    return entry.kind == "text" and not is_parasite(entry)


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
def scrub(file: str, *, json: bool = False, write: bool = False, history: bool = False) -> int:
    """2 when there are secrets and they were left where they are."""
    path, backup = _path(file), None
    if history:
        return _scrub_history(path, json=json, write=write)
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


def _scrub_history(path: Path, *, json: bool, write: bool) -> int:
    from runtime.journal import history_command

    code, told, lines = history_command.run(path, write=write)
    if json:
        _json(told)
    else:
        _lines(lines)
    return code


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


def _note(text: str) -> None:
    if text:
        sys.stderr.write(f"note: {text}\n")


def _json(value: Any) -> None:
    sys.stdout.write(jsonlib.dumps(value, ensure_ascii=False, indent=2).encode(errors="replace").decode() + "\n")


def _lines(lines: Iterable[str]) -> None:
    """Without the control characters that a terminal would obey."""
    for line in lines:
        letters = (letter if letter.isprintable() or letter in "\n\t" else "�" for letter in line.replace("\r", ""))
        sys.stdout.write("".join(letters) + "\n")
