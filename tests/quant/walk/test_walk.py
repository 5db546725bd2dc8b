"""Walk-forward: nothing of a test is known when it is chosen for, and the pieces make one account."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from quant import cli, places
from quant.candles import Candles
from quant.config import Config, parse
from quant.config.study import WalkForward
from quant.dataset import Dataset
from quant.engine import Reason, run
from quant.errors import BadData, UsageError
from quant.metrics import measure
from quant.walk.__main__ import parser
from quant.walk.__main__ import run as command
from quant.walk.walking import walk
from quant.walk.windows import Window, windows
from tests.quant.strategies.series_kit import walk as series

DAY = 96
SPACE = {"fast": [5, 10], "slow": [20, 40]}


@pytest.fixture(scope="module")
def candles() -> Candles:
    return series(40 * DAY, seed=21)


def config(**sections: Any) -> Config:
    whole: dict[str, Any] = {
        "data": {"symbol": "BTC/USDT", "timeframe": "15m"},
        "sweep": {"space": SPACE, "min_trades": 5},
        "walk_forward": {"train_days": 10, "test_days": 5},
    }
    return parse(whole | sections)


def test_rolling_and_anchored_windows_test_each_bar_once(candles: Candles) -> None:
    rolling = windows(candles, WalkForward(train_days=10, test_days=8))
    assert [(w.train // DAY, w.test // DAY, w.end // DAY) for w in rolling] == [
        (0, 10, 18), (8, 18, 26), (16, 26, 34), (24, 34, 40)
    ]  # fmt: skip
    anchored = windows(candles, WalkForward(mode="anchored", train_days=10, test_days=8))
    assert [replace(w, train=0) for w in rolling] == anchored


def test_windows_are_days_of_the_calendar_where_bars_are_missing() -> None:
    whole = series(20 * DAY)
    holed = np.r_[0 : 8 * DAY, 14 * DAY : 20 * DAY]  # days 8 to 13 are missing
    c = Candles(whole.source, whole.symbol, whole.timeframe, *(
        getattr(whole, name)[holed] for name in ("time", "open", "high", "low", "close", "volume")
    ))  # fmt: skip
    found = windows(c, WalkForward(train_days=4, test_days=4))
    assert found == [Window(0, 4 * DAY, 8 * DAY), Window(8 * DAY, 10 * DAY, 14 * DAY)]


def test_too_few_days_are_one_clear_error(candles: Candles) -> None:
    with pytest.raises(BadData, match=r"has 40\.0 days, training alone takes 365"):
        windows(candles, WalkForward())
    with pytest.raises(BadData):
        windows(candles.part(0, 0), WalkForward())


def test_the_choice_knows_nothing_of_what_comes_after_it(candles: Candles) -> None:
    """Other bars from the third test on: what was chosen and traded until then is the same."""
    found = walk(config(), candles)
    cut = found.steps[2].window.test
    other = series(40 * DAY, seed=99)
    columns = {
        name: np.concatenate([getattr(candles, name)[:cut], getattr(other, name)[cut:]])
        for name in ("open", "high", "low", "close")
    }
    changed = walk(config(), replace(candles, **columns))
    for step, another in zip(found.steps[:2], changed.steps[:2], strict=True):
        assert step == another
    assert found.steps[2].choice == changed.steps[2].choice
    begin = cut - found.steps[0].window.test
    assert np.array_equal(found.result.equity[:begin], changed.result.equity[:begin])
    assert not np.array_equal(found.result.equity, changed.result.equity)


def test_the_best_of_training_is_chosen(candles: Candles) -> None:
    step = walk(config(), candles).steps[1]
    part = candles.part(step.window.train, step.window.test)
    sharpes = {}
    for fast in SPACE["fast"]:
        for slow in SPACE["slow"]:
            one = config(strategy={"name": "ma_cross", "params": {"fast": fast, "slow": slow}})
            sharpes[fast, slow] = measure(run(one, part))["Sharpe"]
    assert step.choice.override == dict(zip(("fast", "slow"), max(sharpes, key=sharpes.__getitem__), strict=True))
    assert step.choice.objective == pytest.approx(max(sharpes.values()))
    assert step.choice.trials == 4
    assert 0 < step.choice.deflated < 1


def test_tests_are_joined_into_one_account(candles: Candles) -> None:
    found = walk(config(costs={"taker_fee": 0.001}), candles)
    result, trades = found.result, found.result.trades
    assert len(result.equity) == len(result.candles) == 30 * DAY
    assert result.candles.time[0] == candles.time[10 * DAY]
    assert result.equity[-1] == pytest.approx(result.initial + trades.pnl.sum())
    for step in found.steps:
        last = step.window.end - 10 * DAY - 1
        assert step.tested["final_equity"] == result.equity[last]
        closed = trades.exit_bar == last
        assert set(trades.reason[closed].tolist()) <= {Reason.END, Reason.SIGNAL}
    inside = (trades.entry_bar >= 0) & (trades.exit_bar < len(result.equity)) & (trades.entry_bar <= trades.exit_bar)
    assert inside.all()
    opens = result.candles.open[trades.entry_bar]
    assert trades.entry == pytest.approx(opens)  # each trade stands at the bar that filled it
    ends = {step.window.end - 10 * DAY - 1 for step in found.steps}
    crossing = [(a, b) for a, b in zip(trades.entry_bar, trades.exit_bar, strict=True) if any(a <= e < b for e in ends)]
    assert crossing == []


def test_one_combination_trades_as_a_backtest_that_may_begin_with_its_averages_known(candles: Candles) -> None:
    one = config(
        sweep={"space": {"fast": [10], "slow": [40]}}, walk_forward={"train_days": 10, "test_days": 30}, costs={}
    )
    found = walk(one, candles).result.trades
    whole = run(config(strategy={"name": "ma_cross", "params": {"fast": 10, "slow": 40}}), candles).trades
    later = whole.entry_bar > 10 * DAY
    assert np.array_equal(found.entry_bar[1:] + 10 * DAY, whole.entry_bar[later])
    assert np.array_equal(found.exit[1:], whole.exit[later])
    assert found.entry_bar[0] == 0  # the side that was wanted at the last bar of training


@pytest.mark.parametrize("method", ["random", "optuna"])
def test_other_ways_to_search_repeat_themselves(method: str, candles: Candles) -> None:
    how = config(sweep={"space": SPACE, "method": method, "trials": 3, "min_trades": 5})
    first, second = walk(how, candles.part(0, 20 * DAY)), walk(how, candles.part(0, 20 * DAY))
    assert first.steps == second.steps
    assert 1 <= first.steps[0].choice.trials <= 3


def test_a_lost_account_ends_the_walk(candles: Candles) -> None:
    ruin = config(instrument={"max_leverage": 200}, sizing={"fraction": 200}, costs={"taker_fee": 0.01})
    found = walk(ruin, candles)
    assert len(found.steps) < 6
    assert not found.result.equity[-1] > 0
    assert len(found.result.equity) == len(found.result.candles)


def test_what_cannot_be_is_told(candles: Candles) -> None:
    with pytest.raises(UsageError, match="did you mean Sharpe"):
        walk(config(sweep={"objective": "sharp"}), candles)
    with pytest.raises(UsageError, match="no such parameter"):
        walk(config(sweep={"space": {"fas": [1]}}), candles)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, candles: Candles) -> Path:
    monkeypatch.setattr(places, "home", lambda: tmp_path)
    Dataset("data").add(candles)
    (tmp_path / "journal.md").write_text("# Journal\n")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config().model_dump(mode="json", by_alias=True)))
    return tmp_path


def test_a_walk_leaves_a_runs_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--config", str(home / "config.yaml"), "--run-id", "first", "--title", "Marche avant", "--json"]
    assert cli.main(parser(), command, words) == 0
    told = capsys.readouterr()
    folder = home / "reports/first"
    measures = json.loads((folder / "metrics.json").read_text())
    assert json.loads(told.out)["metrics"] == measures
    assert "window 6 of 6" in told.err
    assert list(measures)[:9] == ["Sharpe", "Sortino", "CAGR", "MDD", "Calmar", "PF", "Expectancy", "R", "Exposure"]
    assert measures["windows"] == 6
    assert 0 <= measures["good_windows"] <= 1
    assert {"PSR", "DSR", "efficiency", "mc_loss"} <= set(measures)
    rows = list(csv.DictReader((folder / "windows.csv").read_text().splitlines()))
    assert len(rows) == 6
    assert rows[0]["train_since"] == "2024-01-01T00:00:00Z"
    assert rows[0]["test_since"] == "2024-01-11T00:00:00Z"
    assert {row["fast"] for row in rows} <= {"5", "10"}
    table = pq.read_table(folder / "equity.parquet")
    assert table.num_rows == 30 * DAY
    assert {"trades.csv", "equity.png", "report.html", "config.yaml"} <= {path.name for path in folder.iterdir()}
    page = (folder / "report.html").read_text()
    assert "Walk-forward" in page
    assert "train_objective" in page
    assert "Marche avant" in (home / "journal.md").read_text()


def test_the_same_walk_leaves_the_same_bytes(home: Path) -> None:
    for name in ("a", "b"):
        words = ["--config", str(home / "config.yaml"), "--run-id", name, "--no-journal"]
        assert cli.main(parser(), command, words) == 0
    one, other = ({path.name: path.read_bytes() for path in (home / "reports" / name).iterdir()} for name in ("a", "b"))
    assert one == other


def test_nothing_is_left_when_it_fails(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = yaml.safe_load((home / "config.yaml").read_text())
    given["walk_forward"]["train_days"] = 400
    (home / "config.yaml").write_text(yaml.safe_dump(given))
    assert cli.main(parser(), command, ["--config", str(home / "config.yaml")]) == 1
    assert "training alone takes 400" in capsys.readouterr().err
    assert not list((home / "reports").glob("*"))
