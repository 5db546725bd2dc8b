"""An entry that was changed on two machines."""

from __future__ import annotations

from runtime.journal import scrub
from runtime.journal.pieces import Piece

_WORDS = "cette entrée a été modifiée sur deux machines ; gardez ce qui convient, effacez le reste."
NOTE = f"> **Autre version** : {_WORDS}".encode()


def reconciled(base: Piece, ours: Piece, theirs: Piece) -> list[Piece]:
    """One piece that has both changes, or two of which the second has a note. The same whoever is `ours`."""
    lines = _by_lines(base.key, ours.key, theirs.key)
    if lines is not None:
        return [ours.with_key(lines)]
    if ours.holds(theirs):
        return [ours]
    if theirs.holds(ours):
        return [ours.with_key(theirs.key)]
    if base.open and all(key.startswith((base.key + b"\n", base.key + b"\r\n")) for key in (ours.key, theirs.key)):
        return [_both_behind(base, ours, theirs)]
    first, second = sorted((ours.key, theirs.key), key=lambda key: (len(key), key), reverse=True)
    if scrub.find(base.key):
        first, second = _as_masked(first, second), _as_masked(second, first)
    return [ours.with_key(first), Piece(noted(second) + b"\n\n", ours.dated)]


def _by_lines(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """A point ticked off here and a secret masked there: same lines, changed in different places."""
    old, left, right = base.split(b"\n"), ours.split(b"\n"), theirs.split(b"\n")
    if not len(old) == len(left) == len(right):
        return None
    chosen = [b if a == o else a for o, a, b in zip(old, left, right, strict=True)]
    agree = all(o in (a, b) or a == b for o, a, b in zip(old, left, right, strict=True))
    return b"\n".join(chosen) if agree else None


def _both_behind(base: Piece, ours: Piece, theirs: Piece) -> Piece:
    """A fence that never ends swallowed what both appended."""
    first, second = sorted((ours.key[len(base.key) :], theirs.key[len(base.key) :]))
    end = b"" if first.endswith(b"\n") else b"\n"
    return ours.with_key(base.key + first + end + second)


def _as_masked(text: bytes, other: bytes) -> bytes:
    """What one side masked must not come back by the other's version."""
    return text if scrub.find(other) else scrub.masked(text)


def noted(key: bytes) -> bytes:
    """An entry's text with a note, which stands below the heading, so that the entry stays one of its kind."""
    if not key.startswith(b"## "):
        return NOTE + b"\n" + key
    head, line, rest = key.partition(b"\n")
    return head + line + NOTE + b"\n" + rest if line else head + b"\n" + NOTE
