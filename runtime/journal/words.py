"""The words of a text and of a question, whatever their accents, case and French endings. Pure.

French stems by Snowball (https://snowballstem.org/algorithms/french/stemmer.html). It needs the accents that people
leave out, so a word is known by its folded form, by its stem, and by the stem of its folded form; a word of any other
language is always known by its folded form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock

from runtime.journal.book import Book, BookError, Entry

_WORD = re.compile(r"[^\W_]+")
_ELISION = re.compile(r"(?<!\w)(?:jusqu|lorsqu|puisqu|quoiqu|qu|[cdjlmnst])'(?=\w)", re.IGNORECASE)
_TOKEN = re.compile(r'"([^"]*)"?|(\S+)')
_LAZY = re.compile(r"e(?=e?s?$)")
_LITTLE = """
a au aux ce ces dans de des du elle en est et il je la le les leur mais ne nous on ou par pas pour que qui sa se ses son
sur un une vous the of and to in is it for with
"""
_STOP = frozenset(_LITTLE.split())
LONGEST = 30
"""Letters of a word that is stemmed: longer ones are hashes and paths."""


def fold(text: str) -> str:
    """Lower case without accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@cache
def _stemmer() -> Callable[[str], str]:
    # Late: it takes 40 ms and 3 MB, and most commands search nothing.
    import snowballstemmer  # type: ignore[import-untyped]

    return snowballstemmer.stemmer("french").stemWord  # type: ignore[no-any-return]


_STEMMING = Lock()
"""The stemmer works on a word of its own: two threads at once would get each other's, and keep it."""


def _stem(word: str) -> str:
    if not (3 < len(word) <= LONGEST and word.isalpha()):
        return fold(word)
    with _STEMMING:
        return fold(_stemmer()(word))


@lru_cache(maxsize=32_768)
def forms(word: str) -> tuple[str, ...]:
    """How a lower-case word with its accents is known: folded first, then its stems where they differ."""
    plain = fold(word)
    single = (
        plain[:-1] if len(plain) > 3 and plain.endswith(("s", "x")) else plain
    )  # Snowball takes `essais` for a verb
    return tuple(dict.fromkeys((plain, single, _stem(word), _stem(plain))))


@lru_cache(maxsize=1024)
def asked(word: str) -> tuple[str, ...]:
    """The same of a word in a question, and of what it may be with the accent that was left out (`verifie`)."""
    lazy = _LAZY.sub("é", word) if word.isascii() else word
    return tuple(dict.fromkeys((*forms(word), _stem(lazy))))


def words(text: str) -> list[str]:
    """Every word in order, in lower case with its accents, without the elided `l'`, `d'`, `qu'` before it."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("’", "'")
    return _WORD.findall((_ELISION.sub(" ", text) if "'" in text else text).lower())


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is asked for: a word by its forms, a phrase (several `words`, folded), or a beginning."""

    words: tuple[str, ...]
    forms: tuple[str, ...] = ()
    prefix: bool = False


def terms(question: str) -> tuple[Term, ...]:
    """What `question` asks for, all of it: words, `"a phrase"`, `mot*`. Raises BookError when it has no word."""
    found = [term for quoted, bare in _TOKEN.findall(question) for term in _term(quoted or bare, bool(quoted))]
    telling = [term for term in found if not (term.forms and term.forms[0] in _STOP)]
    if not found:
        raise BookError(f"no word in {question!r}", 'give words, "a phrase", or a beginning: deplo*')
    return tuple(telling or found)


def _term(text: str, quoted: bool) -> Iterator[Term]:
    """`tv-webhook` is a phrase without quotes: its parts mean something only together."""
    given = words(text)
    if not given:
        return
    prefix = text.endswith("*")
    plain = tuple(fold(word) for word in given)
    yield Term(plain, () if quoted or prefix or len(given) > 1 else asked(given[0]), prefix)


def search(book: Book, question: str) -> Iterator[tuple[Entry, str]]:
    """Entries that have every term of `question`, in the order of the file, each with the line that tells most."""
    wanted = terms(question)
    for entry in book.entries():
        text = entry.text
        if matches(text, wanted):
            yield entry, snippet(line(text, wanted), wanted)


def matches(text: str, wanted: tuple[Term, ...]) -> bool:
    """Whether the text has all of them."""
    return all(hits(text, wanted))


def hits(text: str, wanted: tuple[Term, ...]) -> list[bool]:
    """Of each term, whether the text has it."""
    given = words(text)
    known = {form for word in given for form in forms(word)}
    row = f" {' '.join(map(fold, given))} " if any(not term.forms for term in wanted) else ""
    return [_has(term, known, row) for term in wanted]


def _has(term: Term, known: set[str], row: str) -> bool:
    if term.forms:
        return not known.isdisjoint(term.forms)
    return f" {' '.join(term.words)}{'' if term.prefix else ' '}" in row


def line(text: str, wanted: tuple[Term, ...]) -> str:
    """The first of the lines that have the most of them; the heading, which is shown anyway, comes last."""
    heading, *lines = [one.strip() for one in text.splitlines()] or [""]
    return max([*lines, heading], key=lambda one: sum(hits(one, wanted)))


def snippet(text: str, wanted: tuple[Term, ...], size: int = 200) -> str:
    """A line cut to about `size` characters around the first word that was asked for."""
    if len(text) <= size:
        return text
    start = max(0, min(next(iter(spans(text, wanted)), (0, 0))[0] - size // 3, len(text) - size))
    return f"{'…' * (start > 0)}{text[start : start + size].strip()}{'…' * (start + size < len(text))}"


def spans(text: str, wanted: tuple[Term, ...]) -> list[tuple[int, int]]:
    """Where in `text` the words stand that were asked for, as offsets of characters."""
    forms_ = {form for term in wanted for form in term.forms}
    heads = tuple(term.words[-1] for term in wanted if term.prefix)
    rest = {word for term in wanted if not term.forms for word in (term.words[:-1] if term.prefix else term.words)}
    return [
        match.span()
        for match in _WORD.finditer(text)
        if not forms_.isdisjoint(forms(match[0].lower()))
        or (plain := fold(match[0])) in rest
        or (heads and plain.startswith(heads))
    ]
