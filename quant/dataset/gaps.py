"""Bars that are not there: counted and told, never filled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from quant.candles import I64

SHOWN = 10
"""The longest ones are kept in the catalogue."""


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """`bars` are missing, the first of them would open at `time` (ms)."""

    bars: int
    time: int


@dataclass(frozen=True, slots=True)
class Gaps:
    """`count` gaps with `missing` bars in all; `longest` first."""

    count: int = 0
    missing: int = 0
    longest: tuple[Gap, ...] = ()

    def __add__(self, other: Gaps) -> Gaps:
        return Gaps(self.count + other.count, self.missing + other.missing, _longest([*self.longest, *other.longest]))


def find(time: I64, step: int) -> I64:
    """(first missing open in ms, bars missing) of every gap, shape (k, 2), where `time` rises by more than `step`."""
    missing = np.diff(time) // step - 1
    at = np.flatnonzero(missing > 0)
    return np.column_stack((time[at] + step, missing[at]))


def summary(time: I64, step: int) -> Gaps:
    """The same, counted."""
    found = find(time, step)
    gaps = [Gap(bars, start) for start, bars in found.tolist()]
    return Gaps(len(gaps), int(found[:, 1].sum()), _longest(gaps))


def _longest(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    return tuple(sorted(gaps, key=lambda gap: (-gap.bars, gap.time))[:SHOWN])
