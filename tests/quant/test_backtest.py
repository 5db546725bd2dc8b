"""`python -m quant.backtest`, show and compare, as a person uses them: candles, a config, and a folder that appears."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from quant import backtest, cli, compare, metrics, places, show, strategies
from quant.candles import Candles
from quant.config import parse, resolved
from quant.dataset import Dataset
from quant.dataset.funding import Funding
from quant.report import tables
from quant.strategies import ma_cross
from quant.strategy import Signals
from quant.timeframe import Timeframe

QUARTER = Timeframe.of("15m")
START = 1_704_067_200_000
"""2024-01-01."""


def walk(n: int, symbol: str = "BTC/USDT") -> Candles:
    """A random walk in cents."""
    random = np.random.default_rng(n)
    close = np.round(30_000 * np.cumprod(1 + random.normal(0, 3e-3, n)), 1)
    start, wick = np.concatenate([close[:1], close[:-1]]), np.round(np.abs(random.normal(0, 30, n)), 1)
    high, low = np.round(np.maximum(start, close) + wick, 1), np.round(np.minimum(start, close) - wick, 1)
    time = START + np.arange(n, dtype=np.int64) * QUARTER.ms
    return Candles("test", symbol, QUARTER, time, start, high, low, close, np.ones(n))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "home", lambda: tmp_path)
    Dataset("data").add(walk(3000))
    config({})
    return tmp_path


def config(changes: dict[str, object]) -> None:
    given = {
        "data": {"symbol": "BTC/USDT", "timeframe": "15m"},
        "strategy": {"name": "ma_cross", "params": {"fast": 5, "slow": 30}},
        "exits": {"stop_atr": 2},
    } | changes
    (places.home() / "config.yaml").write_text(yaml.safe_dump(given))


def backtested(*words: str) -> int:
    given = ["--config", str(places.home() / "config.yaml"), *words]
    return cli.main(backtest.parser(), backtest.run, given)


def files(name: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((places.home() / "reports" / name).iterdir())}


def test_a_run_leaves_what_scripts_are_promised(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backtested("--run-id", "one", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    made = files("one")
    assert {*made} == {
        "config.yaml", "equity.parquet", "equity.png", "metrics.json", "report.html", "run.json", "trades.csv",
    }  # fmt: skip
    assert json.loads(made["metrics.json"]) == said["metrics"]
    assert tuple(said["metrics"])[:9] == metrics.HEADLINE
    with Image.open(home / "reports/one/equity.png") as picture:
        assert picture.size == (1600, 900)


def test_the_curve_and_the_trades_are_those_of_the_figures(home: Path) -> None:
    backtested("--run-id", "one")
    folder = home / "reports/one"
    table = pq.read_table(folder / "equity.parquet")
    assert table.column_names == ["time", "equity", "position"]
    assert str(table["time"].type) == "timestamp[ms, tz=UTC]"
    time, equity, position = tables.read_equity(folder / "equity.parquet")
    assert (time == walk(3000).time).all()
    assert table["equity"].to_pylist() == equity.tolist()
    found = json.loads((folder / "metrics.json").read_text())
    assert metrics.of_curve(equity, 10_000, QUARTER.per_year, position)["Sharpe"] == found["Sharpe"]
    trades = list(tables.read_trades(folder / "trades.csv"))
    assert len(trades) == found["trades"] > 20
    assert math.fsum(trade["pnl"] for trade in trades) == pytest.approx(equity[-1] - 10_000)
    assert math.fsum(trade["r"] for trade in trades) / len(trades) == pytest.approx(found["R"])
    with (folder / "trades.csv").open() as file:
        first = next(csv.DictReader(file))
    assert first["entry_time"].startswith("2024-01-01T") and first["entry_time"].endswith(":00Z")


def test_the_same_run_gives_the_same_bytes_under_any_name(home: Path) -> None:
    assert backtested("--run-id", "a") == backtested("--run-id", "b") == 0
    assert files("a") == files("b")


def test_without_a_name_it_has_the_one_that_is_made_of_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backtested() == backtested("--run-id", "auto") == 0
    assert len(list((home / "reports").iterdir())) == 1
    assert "the very same" in capsys.readouterr().err


def test_a_name_that_another_run_has_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backtested("--run-id", "one")
    before = files("one")
    config({"account": {"equity": 5000}})
    assert backtested("--run-id", "one") == 2
    assert "it differs in config" in capsys.readouterr().err
    assert files("one") == before


def test_new_funding_within_the_run_is_another_run_and_later_funding_is_not(home: Path) -> None:
    dataset = Dataset("data")
    for at in (START + 8 * 3_600_000, START + 10_000 * QUARTER.ms):
        dataset.add_funding("BTC/USDT", "test", Funding(np.array([at]), np.array([1e-4])))
        backtested()
    assert len(list((home / "reports").iterdir())) == 1
    dataset.add_funding("BTC/USDT", "test", Funding(np.array([START + 16 * 3_600_000]), np.array([1e-4])))
    backtested()
    assert len(list((home / "reports").iterdir())) == 2


def raising(*_: object) -> Signals:
    raise ZeroDivisionError("no bars left")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"data": {"symbol": "DOGE/USDT", "timeframe": "15m"}}, 1, "DOGE/USDT"),
        ({"data": {"symbol": "BTC/USDT", "timeframe": "15m", "until": "2024-01-01T05:00:00"}}, 1, "needs 32"),
        ({"data": {"symbol": "BTC/USDT", "timeframe": "15m", "since": "2030-01-01"}}, 1, "no bar"),
        ({"strategy": {"name": "ma_cros"}}, 2, "did you mean ma_cross"),
        ({"strategy": {"name": "ma_cross", "params": {"fats": 3}}}, 2, "no parameter fats"),
        ({"strategy": {"name": "ma_cross", "params": {"fast": 30, "slow": 5}}}, 2, "fast must be below slow"),
        ({"colour": "red"}, 2, "colour"),
    ],
)
def test_what_cannot_be_run_is_one_error_and_leaves_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], code: int, words: str
) -> None:
    config(changes)
    assert backtested("--run-id", "one") == code
    told = capsys.readouterr().err
    assert told.count("error:") == 1 and words in told and "Traceback" not in told
    assert not (home / "reports").exists() or list((home / "reports").iterdir()) == []


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        (raising, "ZeroDivisionError: no bars left"),
        (lambda view, _: Signals(np.zeros(3, np.int8)), "expected int8 of shape"),
        (lambda view, _: Signals(np.full(len(view.candles), 2, np.int8)), "expected -1, 0 and 1"),
    ],
)
def test_a_strategy_that_fails_is_told_by_its_name(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    signals: Callable[..., Signals],
    words: str,
) -> None:
    bad = replace(ma_cross.STRATEGY, signals=signals)
    monkeypatch.setattr(strategies, "get", lambda _: bad)
    assert backtested("--run-id", "one") == 1
    told = capsys.readouterr().err
    assert "ma_cross" in told and words in told
    assert list((home / "reports").iterdir()) == []


def test_a_damaged_file_of_candles_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (stored,) = (home / "data").rglob("*.parquet")
    stored.write_bytes(stored.read_bytes()[:-100])
    assert backtested() == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_the_log_book_gets_an_entry_unless_it_is_not_wanted(home: Path) -> None:
    book = home / "journal.md"
    book.write_text("# Journal\n")
    backtested("--run-id", "quiet", "--no-journal", "--title", "Essai <b>")
    assert book.read_text() == "# Journal\n"
    backtested("--run-id", "told", "--title", "Essai <b>")
    text = book.read_text()
    assert "— quant backtest — Essai \\<b>" in text
    assert "- Sharpe : " in text and "`reports/told/report.html`" in text and "- fast : 5" in text
    backtested("--run-id", "told", "--title", "Essai <b>")
    assert book.read_text() == text


def test_a_log_book_that_cannot_be_written_breaks_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "journal.md").mkdir()
    assert backtested("--run-id", "one") == 0
    assert "the log book could not be written" in capsys.readouterr().err
    assert "metrics.json" in files("one")


def test_show_and_compare(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backtested("--run-id", "a", "--title", "[bold]first")
    config({"exits": {"stop_atr": 4}})
    backtested("--run-id", "b")
    capsys.readouterr()
    assert cli.main(show.parser(), show.run, ["a"]) == 0
    told = capsys.readouterr().out
    assert "a: [bold]first" in told and "Sharpe" in told and "reports/a/report.html" in told
    assert cli.main(compare.parser(), compare.run, ["a", "b", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["differs"] == {"exits.stop_atr": [2.0, 4.0], "title": ["[bold]first", ""]}
    sharpe = found["metrics"]["Sharpe"]
    assert sharpe["difference"] == sharpe["b"] - sharpe["a"] != 0
    assert cli.main(compare.parser(), compare.run, ["a", "b"]) == 0
    assert "exits.stop_atr" in capsys.readouterr().out
    assert cli.main(show.parser(), show.run, ["c"]) == 1
    assert "no run c" in capsys.readouterr().err


def test_the_documented_config_has_every_setting_as_it_is_when_left_out() -> None:
    text = (Path(backtest.__file__).parents[1] / "docs/quant.md").read_text()
    told = yaml.safe_load(text.split("```yaml\n")[-1].split("```")[0])
    plain = parse({"data": {"symbol": "BTC/USDT:USDT", "timeframe": "15m"}})
    assert told == yaml.safe_load(resolved(plain))


def test_every_figure_is_documented() -> None:
    text = (Path(backtest.__file__).parents[1] / "docs/quant.md").read_text()
    assert [name for name in metrics.DEFINITIONS if f"`{name}`" not in text] == []
