"""What happened to a log book: which entries went, which changed into which, which are new."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from runtime.journal.pieces import Piece

Id = tuple[bytes, int]
"""An entry's text, and the how manieth of those with this very text it is."""


@dataclass
class Changes:
    """`gone` are of the old file, `added` places in the new one, `changed` leads from the one to the other."""

    gone: set[Id] = field(default_factory=set)
    changed: dict[Id, int] = field(default_factory=dict)
    added: list[int] = field(default_factory=list)


def numbered(found: Iterable[Piece]) -> list[Id]:
    counts: defaultdict[bytes, int] = defaultdict(int)
    names = []
    for piece in found:
        counts[piece.key] += 1
        names.append((piece.key, counts[piece.key]))
    return names


def changes(old: Sequence[Piece], new: Sequence[Piece]) -> Changes:
    """An entry is still the same one when its heading, or at least its time, is; a text when it follows the same."""
    old_names, new_names = numbered(old), numbered(new)
    before, after = set(old_names), set(new_names)
    gone = [at for at, name in enumerate(old_names) if name not in after and name[0]]
    added = [at for at, name in enumerate(new_names) if name not in before and name[0]]
    found = Changes()
    for like in (_head, _time, _place):
        gone, added = _pair(old, new, gone, added, like, found)
    found.gone, found.added = {old_names[at] for at in gone}, added
    return found


_Like = Callable[[Sequence[Piece], int], Hashable]


def _pair(
    old: Sequence[Piece], new: Sequence[Piece], gone: list[int], added: list[int], like: _Like, found: Changes
) -> tuple[list[int], list[int]]:
    """Those that are left when each of the old took the first of the new that is like it."""
    waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for at in added:
        waiting[like(new, at)].append(at)
    names, left = numbered(old) if gone and added else [], []
    for at in gone:
        mark = like(old, at)
        if mark is None or not waiting[mark]:
            left.append(at)
        else:
            found.changed[names[at]] = waiting[mark].popleft()
    taken = set(found.changed.values())
    return left, [at for at in added if at not in taken]


def _head(file: Sequence[Piece], at: int) -> Hashable:
    return file[at].head if file[at].dated else None


def _time(file: Sequence[Piece], at: int) -> Hashable:
    return file[at].moment


def _place(file: Sequence[Piece], at: int) -> Hashable:
    if file[at].dated:
        return None
    return (file[at - 1].key,) if at else ()
