"""Finding entries by their words, whatever their accents, case and French endings. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from runtime.journal.book import Book, Entry

_WORD = re.compile(r"[a-z0-9]+")
# Longest first; a stem keeps at least four letters, so that short words stay apart.
_ENDINGS = (
    *("issements", "issement", "atrices", "ations", "ateurs", "atrice", "ateur", "ation", "ements", "ement"),
    *("euses", "ables", "antes", "euse", "eurs", "ives", "able", "ites", "ants", "ante", "ales"),
    *("eur", "ive", "ifs", "ite", "ees", "ent", "ant", "ais", "ait", "aux", "ale", "ies"),
    *("if", "ee", "es", "er", "ez", "is", "it", "ir", "al", "ie", "e", "s"),
)


def fold(text: str) -> str:
    """Lower case without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def stem(word: str) -> str:
    """A folded word without its ending."""
    if len(word) > 3 and word.endswith(("s", "x")):
        word = word[:-1]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def stems(text: str) -> list[str]:
    """Of each word of `text`, in order."""
    return [stem(word) for word in _WORD.findall(fold(text))]


def search(book: Book, query: str) -> Iterator[tuple[Entry, str]]:
    """Entries that have every word of `query`, newest last, each with the first line where one of them stands."""
    wanted = set(stems(query))
    for entry in book.entries():
        if wanted and wanted <= set(stems(entry.text)):
            yield entry, _line(entry, wanted)


def _line(entry: Entry, wanted: set[str]) -> str:
    lines = [line.strip() for line in entry.text.splitlines()]
    return max(lines, key=lambda line: len(wanted & set(stems(line))))
