"""Entries that programs write about what they did: deploys, rollbacks, rotations; later quant runs, a miner's days.

Whatever a value holds stays on its line: it can start no heading, close no fence and open no tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from runtime.journal import local
from runtime.journal.hide import Hide
from runtime.journal.replace import append

LONGEST = 500
"""Characters of a value; a log belongs elsewhere, and may be named as an artefact."""
_SPACES = re.compile(r"\s+")
_MARKS = re.compile(r"([\\`*<\[\]])")


def entry(
    title: str,
    *,
    when: str = "",
    parameters: Mapping[str, object] | None = None,
    results: Mapping[str, object] | None = None,
    artefacts: Iterable[str] = (),
    known: Iterable[str] = (),
) -> bytes:
    """A note: its heading (`when` as a log book has it, default: now), then a list for each part that has something.

    Secrets are masked: those of a known shape, and the `known` values. Raises BookError without time zone data.
    """
    parts = [
        f"## {when or local.heading_time()} — {_line(title)}\n",
        _list("Paramètres", parameters or {}),
        _list("Résultats", results or {}),
        _artefacts(artefacts),
    ]
    return Hide(known).masked("\n".join(filter(None, parts)).encode(errors="replace"))


def write(
    path: Path,
    title: str,
    *,
    parameters: Mapping[str, object] | None = None,
    results: Mapping[str, object] | None = None,
    artefacts: Iterable[str] = (),
) -> None:
    """Append such an entry to the log book, under its lock. Raises BookError."""
    append(path, entry(title, parameters=parameters, results=results, artefacts=artefacts))


def _list(name: str, values: Mapping[str, object]) -> str:
    lines = (f"- {_line(key)} : {_line(value)}\n" for key, value in values.items() if value not in (None, ""))
    body = "".join(lines)
    return f"**{name}**\n\n{body}" if body else ""


def _artefacts(names: Iterable[str]) -> str:
    body = "".join(f"- `{_plain(name).replace('`', chr(39))}`\n" for name in names if name)
    return f"**Artefacts**\n\n{body}" if body else ""


def _line(value: object) -> str:
    return _MARKS.sub(r"\\\1", _plain(value)) or "—"


def _plain(value: object) -> str:
    """On one line, with nothing invisible in it."""
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    text = _SPACES.sub(" ", text).strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…"
