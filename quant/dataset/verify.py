"""Every file read again and held against the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quant.dataset import manifest, reading, rules
from quant.dataset.files import Files
from quant.dataset.manifest import Part, Series
from quant.errors import BadData
from quant.words import many


@dataclass(frozen=True, slots=True)
class Verified:
    """`duplicates`: bars that open when one before them did. `problems` in words; none: all is as the catalogue
    says."""

    duplicates: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: Verified) -> Verified:
        return Verified(self.duplicates + other.duplicates, self.problems + other.problems)


def entries(files: Files) -> tuple[list[Series], list[str]]:
    """The series whose entries can be read, and what is wrong with the others."""
    found, problems = [], []
    for path in files.find(f"*/*/*/{manifest.FILE}"):
        try:
            series = reading.entry(files, path)
            found += [series] if series else []
        except BadData as error:
            problems.append(str(error))
    return sorted(found, key=lambda one: (one.source, one.symbol, one.timeframe)), problems


def verify(files: Files, series: Series) -> Verified:
    """Reads all of it. Raises StoreFailed."""
    found = Verified(problems=tuple(_strays(files, series)))
    for period, part in series.parts.items():
        found += _part(files, series, period, part)
    return found


def _part(files: Files, series: Series, period: str, part: Part) -> Verified:
    where = f"{series.name}: {part.file}"
    try:
        candles = reading.bars(files, series, [part])
    except FileNotFoundError:
        return Verified(problems=(f"{where} is missing\n  -> {reading.repair(series)}",))
    except BadData as error:
        return Verified(problems=(str(error),))
    problems = [f"{where}: {words}, {many(len(rows), 'bar')}" for words, rows in rules.broken(candles)]
    if Part.of(period, candles, part.size) != part:
        problems.append(f"{where} is not what the catalogue says\n  -> {reading.repair(series)}")
    return Verified(int((np.diff(np.sort(candles.time)) == 0).sum()), tuple(problems))


def _strays(files: Files, series: Series) -> Iterator[str]:
    named = {f"{series.folder}/{part.file}" for part in series.parts.values()}
    for path in files.find(f"{series.folder}/*.parquet"):
        if path not in named:
            yield f"{series.name}: {path} belongs to nothing: a writer was interrupted\n  -> it may be removed"
