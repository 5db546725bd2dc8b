"""Two lots of bars made one: what comes later wins where both have a bar."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quant.candles import COLUMNS, Candles


@dataclass(frozen=True, slots=True)
class Merged:
    """`candles` of both, and how many of the new bars were `added`, and how many `replaced` a bar of other values."""

    candles: Candles
    added: int
    replaced: int


def merge(old: Candles | None, new: Candles) -> Merged:
    """Both must rise in time."""
    if old is None or not len(old):
        return Merged(new, len(new), 0)
    place, known = _places(old, new)
    replaced = int(known.sum()) - _same(old, new, place, known)
    if known.all() and not replaced:
        return Merged(old, 0, 0)
    return Merged(_union(old, new), int((~known).sum()), replaced)


def _places(old: Candles, new: Candles) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each new bar its place among the old ones, and whether there is one of the same time."""
    place = np.minimum(np.searchsorted(old.time, new.time), len(old) - 1)
    return place, old.time[place] == new.time


def _same(old: Candles, new: Candles, place: NDArray[np.int64], known: NDArray[np.bool_]) -> int:
    equal = known.copy()
    for name in COLUMNS[1:]:
        equal &= getattr(old, name)[place] == getattr(new, name)
    return int(equal.sum())


def _union(old: Candles, new: Candles) -> Candles:
    both = {name: np.concatenate((getattr(old, name), getattr(new, name))) for name in COLUMNS}
    order = np.argsort(both["time"], kind="stable")  # stable: of equal times the new one comes last
    time = both["time"][order]
    kept = order[np.append(time[1:] != time[:-1], True)]
    return replace(new, **{name: column[kept] for name, column in both.items()})
