"""What there is, as one value: shown as tables, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from quant.dataset import Dataset, Funding, Series, verify
from quant.dataset import funding as rates
from quant.dataset.gaps import Gaps
from quant.dataset.verify import Verified
from quant.errors import BadData
from quant.times import iso


@dataclass(frozen=True)
class Entry:
    """One series; `verified` None: its files were not read."""

    series: Series
    verified: Verified | None

    def to_json(self) -> dict[str, object]:
        one = self.series
        return {
            "source": one.source, "symbol": one.symbol, "timeframe": one.timeframe.text, "bars": one.bars,
            "first": iso(one.first), "last": iso(one.last), "gaps": _gaps(one.gaps),
            "duplicates": self.verified.duplicates if self.verified else 0, "bytes": one.size, "sha256": one.sha256,
            "folder": one.folder, "files": [part.file for part in one.parts.values()],
        }  # fmt: skip


@dataclass(frozen=True)
class Rates:
    """Funding rates stored in the file `path`: SOURCE/SYMBOL/funding.parquet."""

    path: str
    funding: Funding

    def to_json(self) -> dict[str, object]:
        time = self.funding.time
        return {"path": self.path, "rates": len(time), "first": iso(int(time[0])), "last": iso(int(time[-1]))}


@dataclass(frozen=True)
class Catalogue:
    """`problems` in words: entries that cannot be read, and what verifying found."""

    url: str
    verified: bool
    entries: list[Entry] = field(default_factory=list)
    rates: list[Rates] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        return {
            "url": self.url, "verified": self.verified, "series": [one.to_json() for one in self.entries],
            "funding": [one.to_json() for one in self.rates], "problems": self.problems,
        }  # fmt: skip


def of(dataset: Dataset, *, verified: bool) -> Catalogue:
    """`verified`: every file is read. Raises StoreFailed."""
    found, problems = verify.entries(dataset.files)
    entries = [Entry(one, verify.verify(dataset.files, one) if verified else None) for one in found]
    problems += [words for one in entries if one.verified for words in one.verified.problems]
    return Catalogue(dataset.files.url, verified, entries, list(_rates(dataset, problems)), problems)


def _rates(dataset: Dataset, problems: list[str]) -> Iterator[Rates]:
    for path in dataset.files.find(f"*/*/{rates.FILE}"):
        try:
            funding = rates.read_path(dataset.files, path)
            yield Rates(path, funding)
        except BadData as error:
            problems.append(str(error))


def _gaps(gaps: Gaps) -> dict[str, object]:
    longest = [{"first": iso(gap.time), "bars": gap.bars} for gap in gaps.longest]
    return {"count": gaps.count, "missing": gaps.missing, "longest": longest}
