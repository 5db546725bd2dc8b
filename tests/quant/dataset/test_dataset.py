"""Candles stored and read: what a user sees of `Dataset`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quant.candles import Candles
from quant.dataset import Dataset, Funding
from quant.errors import BadData, NoData, StoreFailed, UsageError
from quant.timeframe import Timeframe
from tests.quant.dataset.series import HOUR, START, bars
from tests.runtime import disk_kit

ENV = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}


def test_what_was_added_is_loaded_with_the_same_hash(tmp_path: Path) -> None:
    candles = bars(20_000)
    added = Dataset(str(tmp_path)).add(candles)
    loaded = Dataset(str(tmp_path)).load("BTC/USDT", "1h")
    assert (added.added, added.replaced) == (20_000, 0)
    assert loaded.sha256 == candles.sha256 == added.series.sha256
    assert loaded.source == "binance"
    assert not loaded.close.flags.writeable


def test_adding_the_same_bars_again_changes_no_file(tmp_path: Path) -> None:
    dataset = Dataset(str(tmp_path))
    dataset.add(bars(10_000))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    again = dataset.add(bars(10_000).part(100, 200))
    assert (again.added, again.replaced) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == before


def test_the_way_bars_came_does_not_show(tmp_path: Path) -> None:
    candles = bars(12_000)
    whole, pieces = Dataset(str(tmp_path / "whole")), Dataset(str(tmp_path / "pieces"))
    whole.add(candles)
    for begin, end in ((7_000, 12_000), (0, 3_000), (2_500, 7_100)):
        pieces.add(candles.part(begin, end))
    assert contents(tmp_path / "whole") == contents(tmp_path / "pieces")


def test_a_corrected_bar_replaces_the_old_one(tmp_path: Path) -> None:
    dataset, candles = Dataset(str(tmp_path)), bars(100)
    dataset.add(candles)
    volume = candles.volume.copy()
    volume[7] += 1
    parts = {name: getattr(candles, name) for name in ("time", "open", "high", "low", "close")}
    added = dataset.add(Candles("binance", "BTC/USDT", Timeframe.of("1h"), **parts, volume=volume))
    assert (added.added, added.replaced) == (0, 1)
    assert dataset.load("BTC/USDT", "1h").volume[7] == volume[7]


def test_since_and_until_bound_where_bars_open(tmp_path: Path) -> None:
    dataset = Dataset(str(tmp_path))
    dataset.add(bars(20_000))
    loaded = dataset.load("BTC/USDT", "1h", since=START + 5 * HOUR, until=START + 9_000 * HOUR)
    assert loaded.time[[0, -1]].tolist() == [START + 5 * HOUR, START + 8_999 * HOUR]
    assert len(dataset.load("BTC/USDT", "1h", until=START)) == 0


def test_gaps_are_counted_also_from_one_file_to_the_next(tmp_path: Path) -> None:
    dataset, candles = Dataset(str(tmp_path)), bars(20_000)
    year = int(np.searchsorted(candles.time, 1_735_689_600_000))  # 2025-01-01
    for begin, end in ((0, 100), (103, year - 2), (year + 3, 20_000)):
        dataset.add(candles.part(begin, end))
    gaps = dataset.series()[0].gaps
    assert (gaps.count, gaps.missing) == (2, 8)
    assert [(gap.bars, gap.time) for gap in gaps.longest] == [
        (5, int(candles.time[year - 2])),
        (3, int(candles.time[100])),
    ]


def test_a_source_is_needed_only_where_two_have_the_symbol(tmp_path: Path) -> None:
    dataset = Dataset(str(tmp_path))
    dataset.add(bars(10))
    dataset.add(bars(20, source="okx"))
    assert len(dataset.load("BTC/USDT", "1h", source="okx")) == 20
    with pytest.raises(UsageError, match="comes from binance and okx"):
        dataset.load("BTC/USDT", "1h")
    with pytest.raises(NoData, match=r"no candles of ETH/USDT 1h .* there is: binance BTC/USDT 1h, okx BTC/USDT 1h"):
        dataset.load("ETH/USDT", "1h")


def test_symbols_that_differ_are_kept_apart(tmp_path: Path) -> None:
    dataset = Dataset(str(tmp_path))
    symbols = ("BTC/USDT", "BTC-USDT", "BTC_USDT", "BTC/USDT:USDT", "../x", "é/USD", "~2d")
    for number, symbol in enumerate(symbols, 1):
        dataset.add(bars(number, symbol=symbol))
    assert [len(dataset.load(symbol, "1h")) for symbol in symbols] == [1, 2, 3, 4, 5, 6, 7]
    assert {path.parent.parent.parent for path in tmp_path.rglob("series.json")} == {tmp_path / "binance"}


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("close", np.nan, "a price is no number above 0 and up to 1e.15: 1 of 50 bars, the first is 2024-01-01 03:00"),
        ("low", -1.0, "a price is no number above 0"),
        ("open", np.inf, "a price is no number above 0"),
        ("high", 1.0, "high is below another price"),
        ("low", 1e9, "low is above another price"),
        ("volume", np.nan, "volume is no number from 0"),
        ("volume", -1.0, "volume is no number from 0"),
        ("time", START + 2 * HOUR, "not later than the bar before"),
        ("time", START + 3 * HOUR + 1, "no bar of 1h begins then"),
        ("time", START * 1000, "not between 1900 and 2200"),
    ],
)
def test_a_bar_that_cannot_be_stores_nothing(tmp_path: Path, column: str, value: float, words: str) -> None:
    candles = bars(50)
    columns = {name: getattr(candles, name).copy() for name in ("time", "open", "high", "low", "close", "volume")}
    columns[column][3] = value
    with pytest.raises(BadData, match=words):
        Dataset(str(tmp_path)).add(Candles("binance", "BTC/USDT", Timeframe.of("1h"), **columns))
    assert contents(tmp_path) == {}


def test_funding_rates_are_merged(tmp_path: Path) -> None:
    dataset = Dataset(str(tmp_path))
    assert dataset.funding("BTC/USDT:USDT", "binanceusdm") is None
    first = Funding(np.array([0, 8, 16]) * HOUR, np.array([1e-4, 2e-4, -1e-4]))
    assert dataset.add_funding("BTC/USDT:USDT", "binanceusdm", first) == 3
    assert dataset.add_funding("BTC/USDT:USDT", "binanceusdm", first) == 0
    later = Funding(np.array([16, 24]) * HOUR, np.array([5e-4, 6e-4]))
    assert dataset.add_funding("BTC/USDT:USDT", "binanceusdm", later) == 1
    found = dataset.funding("BTC/USDT:USDT", "binanceusdm")
    assert found is not None
    assert found.rate.tolist() == [1e-4, 2e-4, 5e-4, 6e-4]
    with pytest.raises(BadData, match="no rate, or out of order"):
        dataset.add_funding("BTC/USDT:USDT", "binanceusdm", Funding(np.array([8, 0]), np.array([0.0, 0.0])))


def contents(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if path.name != ".lock"}


def test_a_folder_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed, match=r"Not a directory.*\n.*is data.url right"):
        Dataset(str(tmp_path / "file")).add(bars(5))


def test_a_full_disk_keeps_what_it_has_and_says_what_to_do(tmp_path: Path) -> None:
    with disk_kit.tmpfs(tmp_path / "disk", "200k") as place:
        dataset = Dataset(str(place))
        dataset.add(bars(500))
        before = contents(place)
        with pytest.raises(StoreFailed, match=r"No space left on device\n.*make room and run it again"):
            dataset.add(bars(20_000))
        assert contents(place) == before
        assert len(dataset.load("BTC/USDT", "1h")) == 500


def test_a_relative_url_counts_from_the_checkout_and_file_urls_are_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quant.places.home", lambda: tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    wanted = {"some/data": "some/data", "~/data": "me/data", f"file://{tmp_path}/x": "x", f"{tmp_path}/[y]*": "[y]*"}
    for url, folder in wanted.items():
        Dataset(url).add(bars(3))
        assert (tmp_path / folder / "binance/BTC-USDT/1h/series.json").exists()
        assert len(Dataset(url).series()) == 1
    assert Dataset.of(None).files.url == str(tmp_path / "data")


def test_neither_pandas_nor_fsspec_is_imported_for_a_disk(tmp_path: Path) -> None:
    """Half a second of every command's start."""
    script = f"""
import sys
from quant.dataset import Dataset
from tests.quant.dataset.series import bars
Dataset({str(tmp_path)!r}).add(bars(500))
Dataset({str(tmp_path)!r}).load("BTC/USDT", "1h")
print(sorted({{"pandas", "fsspec", "rich", "numba"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-P", "-c", script], env=ENV, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
