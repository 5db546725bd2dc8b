"""Adding bars to a series: new files first, then the entry that names them, then away with what it names no more."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from quant.candles import COLUMNS, Candles
from quant.dataset import manifest, parquet, reading, rules
from quant.dataset.files import Files
from quant.dataset.manifest import Part, Series, folder_of
from quant.dataset.merge import merge
from quant.errors import BadData
from quant.periods import split
from runtime.disk import LEFT


@dataclass(frozen=True, slots=True)
class Added:
    """What one `add` did: bars that were new, bars whose values changed, and the series as it is now."""

    added: int
    replaced: int
    series: Series


def add(files: Files, candles: Candles) -> Added:
    """Raises BadData and stores nothing when a bar is wrong, StoreFailed when the store is."""
    rules.require(candles)
    with files.alone(folder_of(candles.source, candles.symbol, candles.timeframe)):
        return files.until_settled(lambda: _add(files, candles))


def _add(files: Files, candles: Candles) -> Added:
    """Raises Changed when another writer was faster; on disk the lock keeps others out."""
    empty = Series(candles.source, candles.symbol, candles.timeframe, {})
    path = f"{empty.folder}/{manifest.FILE}"
    seen = files.version(path)  # before it is read: what is read is that version, or a newer one that `replace` refuses
    stored = reading.entry(files, path)
    before = stored or _adopted(files, empty)
    parts, added, replaced = _merged(files, before, candles)
    after = before.having(parts)
    if after.parts and after != stored:
        files.replace(path, after.to_json(), seen)
    _tidy(files, stored, after)
    return Added(added, replaced, after)


def _adopted(files: Files, series: Series) -> Series:
    """Files without an entry: a first `add` that was killed, or an entry that someone removed. Nothing is lost."""
    for path in files.find(f"{series.folder}/*.parquet"):
        with contextlib.suppress(ValueError, KeyError, BadData):
            columns = parquet.from_bytes(files.read([path])[0])
            found = Candles(series.source, series.symbol, series.timeframe, **{n: columns[n] for n in COLUMNS})
            rules.require(found)
            series = series.having(_merged(files, series, found)[0])
    return series


def _merged(files: Files, before: Series, candles: Candles) -> tuple[dict[str, Part], int, int]:
    """Writes each period that changes; gives their parts, and how many bars were added and replaced."""
    parts, added, replaced = {}, 0, 0
    for period, begin, end in split(candles.time, candles.timeframe):
        merged = merge(_old(files, before, period), candles.part(begin, end))
        added, replaced = added + merged.added, replaced + merged.replaced
        if merged.added or merged.replaced:
            parts[period] = _put(files, before.folder, period, merged.candles)
    return parts, added, replaced


def _old(files: Files, series: Series, period: str) -> Candles | None:
    part = series.parts.get(period)
    try:
        return reading.bars(files, series, [part]) if part else None
    except FileNotFoundError:
        raise BadData(f"{series.name}: {period} is missing in {files}", hint=reading.repair(series)) from None


def _put(files: Files, folder: str, period: str, candles: Candles) -> Part:
    about = {"source": candles.source, "symbol": candles.symbol, "timeframe": candles.timeframe.text}
    data = parquet.to_bytes({name: getattr(candles, name) for name in COLUMNS}, about)
    part = Part.of(period, candles, len(data))
    files.write(f"{folder}/{part.file}", data)
    return part


def _tidy(files: Files, before: Series | None, after: Series) -> None:
    """Away with files that the entry names no more; on disk, where nobody else writes now, with strays too."""
    kept = {part.file for part in after.parts.values()}
    stray = {part.file for part in before.parts.values()} if before else set()
    if files.locks:
        found = [*files.find(f"{after.folder}/*.parquet"), *files.find(f"{after.folder}/{LEFT}")]
        stray = {path.rpartition("/")[2] for path in found}
    files.remove(f"{after.folder}/{name}" for name in sorted(stray - kept))
