"""`python -m quant.data`: the catalogue, and what --verify finds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from quant.candles import COLUMNS
from quant.cli import main
from quant.data.__main__ import parser, run
from quant.dataset import Dataset, Funding, parquet
from tests.quant.dataset.series import HOUR, START, bars


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "config.yaml").write_text(f"data: {{symbol: X, timeframe: 1h, url: {tmp_path}/data}}\n")
    return ["--config", str(tmp_path / "config.yaml")]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    found = Dataset(str(tmp_path / "data"))
    candles = bars(12_000)
    found.add(candles.part(0, 5_000))
    found.add(candles.part(5_007, 12_000))
    found.add(bars(3, source="okx", symbol="ETH/USDT", timeframe="5m"))
    found.add_funding("BTC/USDT:USDT", "okx", Funding(np.array([START, START + 8 * HOUR]), np.array([1e-4, -1e-4])))
    return found


def test_nothing_yet_says_what_brings_some(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(parser(), run, words) == 0
    assert "yet: ./inv quant.fetch or quant.import brings candles" in capsys.readouterr().out


def test_the_table_shows_what_there_is(words: list[str], dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(parser(), run, [*words, "--verify"]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if "binance" in line)
    assert row.split()[:8] == ["binance", "BTC/USDT", "1h", "11,993", "2024-01-01", "00:00", "2025-05-14", "23:00"]
    assert row.split()[8:14] == ["1", "7", "7", "from", "2024-07-27", "08:00"]
    assert "okx/BTC-USDT_USDT/funding.parquet: 2 funding rates, 2024-01-01 00:00 to 2024-01-01 08:00" in out
    assert "all 2 series are as they were stored" in out


def test_json_has_it_all(words: list[str], dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(parser(), run, [*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verified"], found["problems"]) == (False, [])
    one = found["series"][0]
    assert (one["source"], one["symbol"], one["timeframe"], one["bars"]) == ("binance", "BTC/USDT", "1h", 11_993)
    assert (one["first"], one["last"]) == ("2024-01-01T00:00:00Z", "2025-05-14T23:00:00Z")
    assert one["gaps"] == {"count": 1, "missing": 7, "longest": [{"first": "2024-07-27T08:00:00Z", "bars": 7}]}
    assert one["duplicates"] == 0
    assert one["sha256"] == dataset.load("BTC/USDT", "1h").sha256
    assert found["funding"] == [
        {
            "path": "okx/BTC-USDT_USDT/funding.parquet", "rates": 2,
            "first": "2024-01-01T00:00:00Z", "last": "2024-01-01T08:00:00Z",
        }
    ]  # fmt: skip


def file_of(dataset: Dataset, period: str) -> Path:
    return next(Path(dataset.files.url).glob(f"binance/*/1h/{period}-*.parquet"))


def removed(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def another_value(file: Path) -> None:
    columns = parquet.from_bytes(file.read_bytes())
    volume = columns["volume"].copy()
    volume[5] += 1
    file.write_bytes(parquet.to_bytes(columns | {"volume": volume}, {}))


def twice(file: Path) -> None:
    columns = parquet.from_bytes(file.read_bytes())
    time = columns["time"].copy()
    time[5] = time[4]
    file.write_bytes(parquet.to_bytes(columns | {"time": time}, {}))


def beside(file: Path) -> None:
    file.with_name("2024-stray.parquet").write_bytes(file.read_bytes())


@pytest.mark.parametrize(
    ("damage", "told", "duplicates"),
    [
        (removed, "parquet is missing", 0),
        (cut, "not readable as Parquet", 0),
        (another_value, "is not what the catalogue says", 0),
        (twice, "not later than the bar before, 1 bar", 1),
        (beside, "2024-stray.parquet belongs to nothing", 0),
    ],
)
def test_verify_tells_what_is_wrong_and_what_to_do(
    damage, told: str, duplicates: int, words: list[str], dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(file_of(dataset, "2024"))
    assert main(parser(), run, [*words, "--verify", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert any(told in problem for problem in found["problems"])
    assert found["series"][0]["duplicates"] == duplicates
    assert found["series"][1]["duplicates"] == 0
    main(parser(), run, [*words, "--verify"])
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("damage", [removed, cut])
def test_the_way_out_that_is_told_works(damage, dataset: Dataset) -> None:
    """Remove the entry, bring the bars again: what was whole was kept."""
    damage(file_of(dataset, "2024"))
    with pytest.raises(Exception, match=r"remove binance/BTC-USDT/1h/series\.json"):
        dataset.load("BTC/USDT", "1h")
    with pytest.raises(Exception, match=r"remove binance/BTC-USDT/1h/series\.json"):
        dataset.add(bars(100))
    (Path(dataset.files.url) / "binance/BTC-USDT/1h/series.json").unlink()
    dataset.add(bars(10_000))
    assert dataset.load("BTC/USDT", "1h").sha256 == bars(12_000).sha256


@pytest.mark.parametrize("text", ["", "{", "[]", '{"parts": 3}', '{"parts": {"2024": {"file": "x"}}}'])
def test_a_damaged_entry_hides_no_other_series(
    text: str, words: list[str], dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(dataset.files.url) / "binance/BTC-USDT/1h/series.json").write_text(text)
    assert main(parser(), run, words) == 1
    out = capsys.readouterr().out
    assert "binance/BTC-USDT/1h/series.json is not a catalogue entry" in out
    assert "okx" in out


def test_a_damaged_file_of_funding_rates_is_told(
    words: list[str], dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(dataset.files.url) / "okx/BTC-USDT_USDT/funding.parquet").write_bytes(b"x")
    assert main(parser(), run, words) == 1
    assert "remove it and fetch the funding rates again" in capsys.readouterr().out


def test_files_are_read_by_any_other_program_and_are_the_same_bytes_each_time(dataset: Dataset, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    file = file_of(dataset, "2025")
    again = Dataset(str(tmp_path / "again"))
    again.add(dataset.load("BTC/USDT", "1h"))
    assert file_of(again, "2025").read_bytes() == file.read_bytes()
    table = pq.read_table(file)
    assert table.column_names == list(COLUMNS)
    assert str(table.schema.field("time").type) == "timestamp[ms, tz=UTC]"
    about = table.schema.metadata
    assert (about[b"symbol"], about[b"timeframe"], about[b"source"]) == (b"BTC/USDT", b"1h", b"binance")
