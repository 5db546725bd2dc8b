"""Candles by name: what there is, reading it, and adding to it."""

from __future__ import annotations

import contextlib
from datetime import date, datetime

import numpy as np

from quant.candles import Candles
from quant.config import Config
from quant.config.market import Data
from quant.dataset import funding as rates
from quant.dataset import manifest, reading, writing
from quant.dataset.files import Files
from quant.dataset.funding import Funding
from quant.dataset.manifest import Series
from quant.dataset.names import safe
from quant.dataset.writing import Added
from quant.errors import BadData, NoData, UsageError
from quant.timeframe import Timeframe
from quant.times import milliseconds

When = datetime | date | int | None
EVER = (-(2**63), 2**63 - 1)
TRIES = 5
"""A reader whose files were just replaced begins again with the new ones."""
ENTRIES = f"*/*/*/{manifest.FILE}"


class Dataset:
    """Everything under one URL: a folder (relative: from the checkout), or any fsspec address.

    Layout: SOURCE/SYMBOL/TIMEFRAME/PERIOD-HASH.parquet and series.json; SOURCE/SYMBOL/funding.parquet.
    Every method raises StoreFailed when the store cannot be used.
    """

    def __init__(self, url: str, endpoint_url: str | None = None) -> None:
        """`endpoint_url`: where an S3-compatible store answers. Raises UsageError when nothing can serve the URL."""
        self.files = Files(url, endpoint_url)

    @classmethod
    def of(cls, config: Config | None) -> Dataset:
        """Where config.yaml says; without one, where it would be by default."""
        data = config.data if config else Data.model_construct()
        return cls(data.url, data.endpoint_url)

    def series(self) -> list[Series]:
        """All that is stored, by source, symbol and timeframe. Raises BadData when an entry is damaged."""
        return sorted(self._at(ENTRIES), key=lambda one: (one.source, one.symbol, one.timeframe))

    def find(self, symbol: str, timeframe: Timeframe | str, source: str | None = None) -> Series:
        """Raises NoData, or UsageError when several sources have it and none was chosen."""
        timeframe = Timeframe.of(str(timeframe))
        found = self._at(f"{safe(source) if source else '*'}/{safe(symbol)}/{timeframe}/{manifest.FILE}")
        if not found:
            raise self._nothing(symbol, timeframe, source)
        if len(found) > 1:
            names = " and ".join(sorted(one.source for one in found))
            raise UsageError(f"{symbol} {timeframe} comes from {names}", hint="choose one as exchange.id")
        return found[0]

    def load(
        self, symbol: str, timeframe: Timeframe | str, source: str | None = None, since: When = None, until: When = None
    ) -> Candles:
        """Bars that open in [since, until); maybe none. Raises NoData and UsageError as `find` does, and BadData on
        damaged files."""
        for _ in range(TRIES):
            series = self.find(symbol, timeframe, source)
            with contextlib.suppress(FileNotFoundError):
                return self._between(series, since, until)
        raise BadData(f"{series.name}: a file is missing in {self.files}", hint=reading.repair(series))

    def add(self, candles: Candles) -> Added:
        """Merges, all or nothing; where both have a bar the new one counts, the same bars again change nothing.

        Raises BadData and stores nothing when a bar is wrong.
        """
        return writing.add(self.files, candles)

    def funding(self, symbol: str, source: str) -> Funding | None:
        """Raises BadData when the file is damaged."""
        return rates.read(self.files, source, symbol)

    def add_funding(self, symbol: str, source: str, new: Funding) -> int:
        """How many settlements are new. As `add`."""
        return rates.add(self.files, source, symbol, new)

    def _at(self, pattern: str) -> list[Series]:
        paths = self.files.find(pattern) if "*" in pattern else [pattern]
        found = (reading.entry(self.files, path) for path in paths)
        return [one for one in found if one]

    def _nothing(self, symbol: str, timeframe: Timeframe, source: str | None) -> NoData:
        there = ", ".join(one.name for one in self.series()) or "nothing yet"
        wanted = f"{symbol} {timeframe}" + (f" from {source}" if source else "")
        hint = "./inv quant.fetch or quant.import brings some"
        return NoData(f"no candles of {wanted} in {self.files}; there is: {there}", hint=hint)

    def _between(self, series: Series, since: When, until: When) -> Candles:
        begin = EVER[0] if since is None else milliseconds(since)
        end = EVER[1] if until is None else milliseconds(until)
        parts = [part for part in series.parts.values() if part.first < end and part.last >= begin]
        candles = reading.bars(self.files, series, parts)
        left, right = np.searchsorted(candles.time, [begin, end])
        return candles.part(int(left), int(max(left, right)))


def load_for(config: Config) -> tuple[Candles, Funding | None]:
    """The candles that a run asks for, and its funding rates when they count and are stored. Raises as `load` does,
    and NoData when no bar lies in [since, until)."""
    dataset, data = Dataset.of(config), config.data
    candles = dataset.load(data.symbol, data.timeframe, config.exchange.id, data.since, data.until)
    if not len(candles):
        raise NoData(f"{candles.name}: no bar opens in {_span(data)}", hint="./inv quant.data shows what there is")
    return candles, dataset.funding(candles.symbol, candles.source) if config.costs.funding else None


def _span(data: Data) -> str:
    return f"[{data.since or 'the beginning'}, {data.until or 'now'})"
