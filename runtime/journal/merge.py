"""A three-way merge of log books: entries are a set ordered by time, so two machines that append never conflict.

`merged` is pure. As git's merge driver: `python -m runtime.journal.merge %O %A %B` leaves the result in %A, and never
fails, because there is nothing that a person would have to resolve before git can go on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.journal import scrub
from runtime.journal.differences import Id, changes, numbered
from runtime.journal.pieces import Piece, pieces
from runtime.journal.reconcile import noted, reconciled


def merged(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """What `ours` becomes when what happened between `base` and `theirs` happens to it too.

    The order of `ours` is kept; additions of `theirs` stand where their time belongs, after those of the same minute.
    An entry changed on one side takes the change; one deleted on one side and untouched on the other goes. Changed on
    both, and not on different lines: both stay, one of them with a note.
    """
    if theirs in (base, ours):
        return ours
    if ours == base:
        return theirs
    return _Merge(pieces(base), pieces(ours), pieces(theirs)).result()


def lost(base: bytes, before: bytes, after: bytes) -> list[bytes]:
    """Entries in `before` that `base` does not have and that have a line which is nowhere in `after`: must be none.

    By lines, because an entry that was changed on both sides may have got a line of the other's, or a note.
    """
    known = {piece.key for piece in pieces(base)}
    lines = set(after.split(b"\n")) | set(base.split(b"\n"))
    new = [piece.key for piece in pieces(before) if piece.key not in known and piece.key not in after]
    return [key for key in new if not lines.issuperset(key.split(b"\n")) and scrub.masked(key) not in after]


@dataclass
class _Merge:
    base: list[Piece]
    ours: list[Piece]
    theirs: list[Piece]
    out: list[Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._base = dict(zip(numbered(self.base), self.base, strict=True))
        self._ours = changes(self.base, self.ours)
        self._theirs = changes(self.base, self.theirs)
        self._new = {self.ours[at].key for at in (*self._ours.added, *self._ours.changed.values())}
        self._new_there = {self.theirs[at].key for at in (*self._theirs.added, *self._theirs.changed.values())}

    def result(self) -> bytes:
        origin = {at: name for name, at in self._ours.changed.items()}
        for at, (name, piece) in enumerate(zip(numbered(self.ours), self.ours, strict=True)):
            self.out += self._kept(name, piece) if name in self._base else self._changed(origin.get(at), piece)
        placed = {id(piece) for piece in self.out}
        for at in self._additions():
            if id(self.theirs[at]) not in placed:
                self._insert(at)
        return b"".join(_joined(self.out))

    def _kept(self, name: Id, piece: Piece) -> list[Piece]:
        """What becomes of an entry that we did not touch."""
        if name in self._theirs.gone:
            return []
        other = self._theirs.changed.get(name)
        if other is None:
            return [piece]
        return [] if self._is_here(self.theirs[other]) else [self.theirs[other]]

    def _changed(self, name: Id | None, piece: Piece) -> list[Piece]:
        """What becomes of an entry that we changed (`name` is what it was) or added (None)."""
        other = self._theirs.changed.get(name) if name else None
        if name is None or other is None or self._is_here(self.theirs[other]):
            return [piece]
        if piece.key in self._new_there:
            return [self.theirs[other], piece]
        first, *others = reconciled(self._base[name], piece, self.theirs[other])
        known = self._new | {theirs.key for theirs in self.theirs}
        return [first, *(one for one in others if one.key not in known)]

    def _is_here(self, piece: Piece) -> bool:
        """Whether an earlier merge brought it already, as it is or with a note."""
        return piece.key in self._new or noted(piece.key) in self._new

    def _additions(self) -> Iterator[int]:
        """What they added, and what they changed while we deleted it: in their order, without what we have too."""
        changed = {at for name, at in self._theirs.changed.items() if name in self._ours.gone}
        added, have = changed | set(self._theirs.added), set(numbered(self.ours))
        texts = [piece for piece in self.ours if not piece.dated]
        for at, name in enumerate(numbered(self.theirs)):
            piece = self.theirs[at]
            if at not in added or name in have or (not piece.dated and any(text.holds(piece) for text in texts)):
                continue
            yield at

    def _insert(self, at: int) -> None:
        piece = self.theirs[at]
        self.out.insert(_by_time(self.out, piece) if piece.dated else self._behind(at), piece)

    def _behind(self, at: int) -> int:
        """Where a text without a time stands: behind what it follows in `theirs`."""
        if at == 0:
            return _attached(self.out, 0)
        before = self.theirs[at - 1].key
        found = next((n for n in range(len(self.out) - 1, -1, -1) if self.out[n].key == before), len(self.out) - 1)
        return _attached(self.out, found + 1)


def _by_time(out: Sequence[Piece], piece: Piece) -> int:
    """Behind the last that is not later, and the text that belongs to it."""
    first = len(out)
    for at in range(len(out) - 1, -1, -1):
        moment = out[at].moment
        if moment is None:
            continue
        if piece.moment is not None and moment <= piece.moment:
            return _attached(out, at + 1)
        first = at
    return first


def _attached(out: Sequence[Piece], at: int) -> int:
    while at < len(out) and out[at].moment is None:
        at += 1
    return at


def _joined(out: Sequence[Piece]) -> Iterator[bytes]:
    """A piece that was the last of its file, and is no more, gets the blank line that an append would give it."""
    for at, piece in enumerate(out):
        yield piece.raw
        if at < len(out) - 1 and (piece.was_last or not piece.raw.endswith(b"\n")):
            yield b"" if piece.raw.endswith(b"\n\n") else b"\n" if piece.raw.endswith(b"\n") else b"\n\n"


def main(arguments: Sequence[str]) -> int:
    """`%O %A %B` of git."""
    base, ours, theirs = (Path(name) for name in arguments)
    ours.write_bytes(merged(base.read_bytes(), ours.read_bytes(), theirs.read_bytes()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
