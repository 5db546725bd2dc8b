"""The catalogue's entry of one series: which files are its bars, and what they hold.

Files are named by their content and never changed; the entry is replaced as a whole after they are written. So a reader
sees all of an update or nothing of it, and a writer that was killed leaves the series as it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from quant.candles import Candles, hash_of
from quant.dataset.gaps import Gap, Gaps, summary
from quant.dataset.names import safe
from quant.errors import BadData
from quant.timeframe import Timeframe

FILE = "series.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One period's file. `first`, `last`: opens in ms; `sha256` is `Candles.digest`: of the bars, not of the file."""

    file: str
    bars: int
    first: int
    last: int
    size: int
    sha256: str
    gaps: Gaps

    @classmethod
    def of(cls, period: str, candles: Candles, size: int) -> Part:
        digest = candles.digest
        first, last = int(candles.time[0]), int(candles.time[-1])
        gaps = summary(candles.time, candles.timeframe.ms)
        return cls(file_name(period, digest), len(candles), first, last, size, digest, gaps)


@dataclass(frozen=True, slots=True)
class Series:
    """What is stored of one symbol. Moments are opens in ms; `parts` by period, oldest first."""

    source: str
    symbol: str
    timeframe: Timeframe
    parts: Mapping[str, Part]

    @property
    def name(self) -> str:
        return f"{self.source} {self.symbol} {self.timeframe}"

    @property
    def folder(self) -> str:
        return folder_of(self.source, self.symbol, self.timeframe)

    @property
    def bars(self) -> int:
        return sum(part.bars for part in self.parts.values())

    @property
    def first(self) -> int:
        return next(iter(self.parts.values())).first

    @property
    def last(self) -> int:
        return list(self.parts.values())[-1].last

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(part.size for part in self.parts.values())

    @property
    def gaps(self) -> Gaps:
        """Inside the periods, and from one to the next."""
        found, before = Gaps(), None
        for part in self.parts.values():
            found += part.gaps
            missing = 0 if before is None else (part.first - before) // self.timeframe.ms - 1
            if before is not None and missing:
                found += Gaps(1, missing, (Gap(missing, before + self.timeframe.ms),))
            before = part.last
        return found

    @property
    def sha256(self) -> str:
        """The same as `Candles.sha256` of all its bars."""
        return hash_of(self.symbol, self.timeframe, {period: part.sha256 for period, part in self.parts.items()})

    def having(self, parts: Mapping[str, Part]) -> Series:
        return replace(self, parts=dict(sorted((dict(self.parts) | dict(parts)).items())))

    def to_json(self) -> bytes:
        about = {"version": VERSION, "source": self.source, "symbol": self.symbol, "timeframe": self.timeframe.text}
        return json.dumps(about | {"parts": {p: asdict(part) for p, part in self.parts.items()}}, indent=1).encode()


def from_json(text: bytes, where: str) -> Series:
    """Raises BadData."""
    try:
        given = json.loads(text)
        parts = {period: _part(one) for period, one in given["parts"].items()}
        return Series(given["source"], given["symbol"], Timeframe.of(given["timeframe"]), parts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "remove this one file: it is made again from the Parquet files beside it at the next fetch or import"
        raise BadData(f"{where} is not a catalogue entry ({error})", hint=hint) from None


def folder_of(source: str, symbol: str, timeframe: Timeframe) -> str:
    return f"{safe(source)}/{safe(symbol)}/{timeframe}"


def file_name(period: str, digest: str) -> str:
    return f"{period}-{digest[:16]}.parquet"


def _part(one: dict[str, object]) -> Part:
    gaps = one.pop("gaps")
    longest = tuple(Gap(**gap) for gap in gaps["longest"])  # type: ignore[index]
    return Part(gaps=Gaps(gaps["count"], gaps["missing"], longest), **one)  # type: ignore[index, arg-type]
