"""Candles by name: what there is, reading it, and adding to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from quant.candles import COLUMNS, Candles
from quant.config import Config
from quant.config.market import Data
from quant.dataset import funding as rates
from quant.dataset import manifest, parquet, rules
from quant.dataset.files import Files
from quant.dataset.funding import Funding
from quant.dataset.manifest import Part, Series, folder_of
from quant.dataset.merge import merge
from quant.dataset.names import safe
from quant.errors import BadData, NoData, UsageError
from quant.periods import split
from quant.timeframe import Timeframe
from quant.times import milliseconds

When = datetime | date | int | None
TRIES = 5
"""A reader whose files were just replaced begins again with the new ones."""


@dataclass(frozen=True, slots=True)
class Added:
    """What one `add` did: bars that were new, bars whose values changed, and the series as it is now."""

    added: int
    replaced: int
    series: Series


class Dataset:
    """Everything under one URL: a folder (relative: from the checkout), or any fsspec address.

    Layout: SOURCE/SYMBOL/TIMEFRAME/PERIOD-HASH.parquet and series.json; SOURCE/SYMBOL/funding.parquet.
    """

    def __init__(self, url: str, endpoint_url: str | None = None) -> None:
        """`endpoint_url`: where an S3-compatible store answers. Raises UsageError when nothing can serve the URL."""
        self.files = Files(url, endpoint_url)

    @classmethod
    def of(cls, config: Config | None) -> Dataset:
        """Where config.yaml says; without one where it would be by default."""
        data = config.data if config else Data.model_construct()
        return cls(data.url)

    def series(self) -> list[Series]:
        """All that is stored, by source, symbol and timeframe. Raises BadData when an entry is damaged."""
        found = self._entries(self.files.find(f"*/*/*/{manifest.FILE}"))
        return sorted(found, key=lambda one: (one.source, one.symbol, one.timeframe))

    def find(self, symbol: str, timeframe: Timeframe | str, source: str | None = None) -> Series:
        """Raises NoData, or UsageError when several sources have it and none was chosen."""
        timeframe = Timeframe.of(str(timeframe))
        found = self._having(symbol, timeframe, source)
        if not found:
            raise self._nothing(symbol, timeframe, source)
        if len(found) > 1:
            names = " and ".join(sorted(one.source for one in found))
            raise UsageError(f"{symbol} {timeframe} comes from {names}", hint="choose one as exchange.id")
        return found[0]

    def load(
        self, symbol: str, timeframe: Timeframe | str, source: str | None = None, since: When = None, until: When = None
    ) -> Candles:
        """Bars that open in [since, until). Raises NoData, UsageError as `find` does, and BadData on damaged files."""
        for _ in range(TRIES):
            with contextlib.suppress(FileNotFoundError):
                return self._bars(self.find(symbol, timeframe, source), since, until)
        raise BadData(f"{symbol} {timeframe}: a file of the catalogue is missing in {self.files}", hint=_VERIFY)

    def add(self, candles: Candles) -> Added:
        """Merges, all or nothing; the same bars again change nothing. Raises BadData and stores nothing when a bar is
        wrong."""
        rules.require(candles)
        folder = folder_of(candles.source, candles.symbol, candles.timeframe)
        with self.files.alone(folder):
            before = self._known(candles, folder)
            parts, added, replaced = self._write(before, candles)
            after = before.having(parts)
            if after.parts != before.parts:
                self.files.write(f"{folder}/{manifest.FILE}", after.to_json())
            self._tidy(folder, after)
        return Added(added, replaced, after)

    def funding(self, symbol: str, source: str) -> Funding | None:
        return rates.read(self.files, source, symbol)

    def add_funding(self, symbol: str, source: str, new: Funding) -> int:
        """How many settlements are new. As `add`."""
        return rates.add(self.files, source, symbol, new)

    def _having(self, symbol: str, timeframe: Timeframe, source: str | None) -> list[Series]:
        place = f"{safe(source) if source else '*'}/{safe(symbol)}/{timeframe}/{manifest.FILE}"
        return self._entries([place] if source else self.files.find(place))

    def _entries(self, paths: Iterable[str]) -> list[Series]:
        found = []
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                found.append(manifest.from_json(self.files.read([path])[0], f"{self.files}/{path}"))
        return [one for one in found if one.parts]

    def _nothing(self, symbol: str, timeframe: Timeframe, source: str | None) -> NoData:
        there = ", ".join(one.name for one in self.series()) or "nothing yet"
        wanted = f"{symbol} {timeframe}" + (f" from {source}" if source else "")
        return NoData(f"no candles of {wanted} in {self.files}; there is: {there}", hint="./inv quant.fetch or "
                      "quant.import brings some")  # fmt: skip

    def _bars(self, series: Series, since: When, until: When) -> Candles:
        begin = -(2**63) if since is None else milliseconds(since)
        end = 2**63 - 1 if until is None else milliseconds(until)
        parts = [part for part in series.parts.values() if part.first < end and part.last >= begin]
        candles = self._read(series, parts)
        left, right = np.searchsorted(candles.time, [begin, end])
        return candles.part(int(left), int(max(left, right)))

    def _read(self, series: Series, parts: list[Part]) -> Candles:
        """Raises FileNotFoundError, BadData."""
        files = self.files.read([f"{series.folder}/{part.file}" for part in parts])
        read = [_columns(data, part, series.name) for data, part in zip(files, parts, strict=True)]
        whole = {name: np.concatenate([np.empty(0), *(one[name] for one in read)]) for name in COLUMNS[1:]}
        time = np.concatenate([np.empty(0, np.int64), *(one["time"] for one in read)])
        return Candles(series.source, series.symbol, series.timeframe, time, **whole)

    def _known(self, candles: Candles, folder: str) -> Series:
        path = f"{folder}/{manifest.FILE}"
        try:
            return manifest.from_json(self.files.read([path])[0], f"{self.files}/{path}")
        except FileNotFoundError:
            return self._adopted(Series(candles.source, candles.symbol, candles.timeframe, {}), folder)

    def _adopted(self, series: Series, folder: str) -> Series:
        """Files without an entry: a first `add` that was killed, or an entry that someone removed. Nothing is lost."""
        for path in self.files.find(f"{folder}/*.parquet"):
            with contextlib.suppress(ValueError, KeyError, BadData):
                columns = parquet.from_bytes(self.files.read([path])[0])
                found = Candles(series.source, series.symbol, series.timeframe, **{n: columns[n] for n in COLUMNS})
                rules.require(found)
                series = series.having(self._write(series, found)[0])
        return series

    def _write(self, before: Series, candles: Candles) -> tuple[dict[str, Part], int, int]:
        """Writes each period that changes; gives their parts, and how many bars were added and replaced."""
        parts, added, replaced = {}, 0, 0
        for period, begin, end in split(candles.time, candles.timeframe):
            known = before.parts.get(period)
            old = self._read(before, [known]) if known else None
            merged = merge(old, candles.part(begin, end))
            added, replaced = added + merged.added, replaced + merged.replaced
            if merged.added or merged.replaced:
                parts[period] = self._put(before.folder, period, merged.candles)
        return parts, added, replaced

    def _put(self, folder: str, period: str, candles: Candles) -> Part:
        about = {"source": candles.source, "symbol": candles.symbol, "timeframe": candles.timeframe.text}
        data = parquet.to_bytes({name: getattr(candles, name) for name in COLUMNS}, about)
        part = Part.of(period, candles, len(data))
        self.files.write(f"{folder}/{part.file}", data)
        return part

    def _tidy(self, folder: str, series: Series) -> None:
        """Files that no entry names: replaced ones, and what a killed writer left. Only under the lock."""
        kept = {f"{folder}/{part.file}" for part in series.parts.values()}
        stray = [*self.files.find(f"{folder}/*.parquet"), *self.files.find(f"{folder}/.*.tmp")]
        self.files.remove(path for path in stray if path not in kept)


def load_for(config: Config) -> tuple[Candles, Funding | None]:
    """The candles that a run asks for, and its funding rates when they count and are stored. Raises as `load` does,
    and NoData when no bar lies in [since, until)."""
    dataset, data = Dataset.of(config), config.data
    candles = dataset.load(data.symbol, data.timeframe, config.exchange.id, data.since, data.until)
    if not len(candles):
        raise NoData(f"{candles.name}: no bar opens in [{data.since}, {data.until})", hint="./inv quant.data shows "
                     "what there is")  # fmt: skip
    return candles, dataset.funding(candles.symbol, candles.source) if config.costs.funding else None


_VERIFY = "./inv quant.data --verify tells which; fetch or import it again"


def _columns(data: bytes, part: Part, name: str) -> parquet.Columns:
    try:
        columns = parquet.from_bytes(data)
        if any(len(columns[column]) != part.bars for column in COLUMNS):
            raise ValueError(f"{len(columns['time'])} bars, the catalogue says {part.bars}")
        return columns
    except (ValueError, KeyError) as error:
        raise BadData(f"{name}: {part.file}: {error}", hint=_VERIFY) from None
