"""A run's folder: all or nothing, and the same run is the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quant import places, runs
from quant.config import Config, load, parse
from quant.errors import NoData, UsageError
from quant.runs import Run

DATA = "ab" * 32


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "home", lambda: tmp_path)
    return tmp_path


def config(**strategy: object) -> Config:
    return parse(
        {"data": {"symbol": "BTC/USDT:USDT", "timeframe": "15m"}, "strategy": strategy or {"name": "ma_cross"}}
    )


def finished(given: Config, run_id: str = "auto", title: str | None = None) -> Path:
    with Run.begin(given, DATA, run_id, title) as run:
        run.write_json("metrics.json", {"Sharpe": 1.5})
        return run.finish()


def test_a_run_appears_whole_and_tells_its_config_with_everything_in_it(home: Path) -> None:
    with Run.begin(config(), DATA, "first", "A title", source="binance") as run:
        run.write("note.txt", "x")
        assert not (home / "reports/first").exists()
        folder = run.finish()
    assert folder == home / "reports/first"
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "note.txt", "run.json"]
    again = load(folder / "config.yaml")
    assert (again.strategy.params, again.exchange.id, again.title) == ({"fast": 20, "slow": 100}, "binance", "A title")
    assert [path.name for path in (home / "reports").iterdir()] == ["first"]


def test_the_id_is_made_of_what_the_run_is(home: Path) -> None:
    name = finished(config()).name
    assert name.startswith("ma_cross-BTCUSDT-15m-")
    assert name == Run.begin(config(name="ma_cross", params={"fast": 20}), DATA).id  # 20 is what was meant anyway
    others = {
        Run.begin(config(name="ma_cross", params={"fast": 21}), DATA).id,
        Run.begin(config(), "cd" * 32).id,
        Run.begin(config(), DATA, title="named").id,
        Run.begin(config(), DATA, kind="sweep").id,
        Run.begin(config().model_copy(update={"seed": 1}), DATA).id,
    }
    assert len(others | {name}) == 6


def test_the_resolved_config_is_the_same_run(home: Path) -> None:
    folder = finished(config(), "one")
    assert Run.begin(load(folder / "config.yaml"), DATA, "one").existed


def test_nothing_in_the_folder_knows_its_name(home: Path) -> None:
    a, b = finished(config(), "a"), finished(config(), "b")
    assert all((a / path.name).read_bytes() == path.read_bytes() for path in b.iterdir())


def test_the_same_run_again_is_told_and_left_alone(home: Path) -> None:
    finished(config(), "one")
    with Run.begin(config(), DATA, "one") as run:
        assert run.existed
    assert (home / "reports/one/metrics.json").exists()


@pytest.mark.parametrize(
    ("params", "data", "words"), [({"fast": 21}, DATA, "differs in config"), ({}, "cd" * 32, "differs in data")]
)
def test_another_run_of_that_id_is_refused(params: dict[str, int], data: str, words: str) -> None:
    finished(config(), "one")
    with pytest.raises(UsageError, match=words):
        Run.begin(config(name="ma_cross", params=params), data, "one")


def test_what_fails_leaves_nothing(home: Path) -> None:
    with pytest.raises(RuntimeError), Run.begin(config(), DATA, "one") as run:
        run.write("half", "...")
        raise RuntimeError
    assert list((home / "reports").iterdir()) == []


def test_what_was_killed_is_not_a_run_and_is_not_in_the_way(home: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from quant import places
from quant.config import parse
from quant.runs import Run
places.home = lambda: Path({str(home)!r})
run = Run.begin(parse({{"data": {{"symbol": "BTC/USDT:USDT", "timeframe": "15m"}}}}), {DATA!r}, "one")
run.write("half", "...")
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = str(Path(runs.__file__).parents[1])
    done = subprocess.run([sys.executable, "-P", "-c", script], env={**os.environ, "PYTHONPATH": root}, check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(NoData):
        runs.find("one")
    assert not (finished(config(), "one") / "half").exists()


def test_an_interrupted_run_goes_on_where_that_is_wanted() -> None:
    with pytest.raises(KeyboardInterrupt), Run.begin(config(), DATA, "one", resume=True) as run:
        run.write("part-0.json", "{}")
        raise KeyboardInterrupt
    with pytest.raises(UsageError, match="differs in config"):
        Run.begin(config(name="ma_cross", params={"fast": 3}), DATA, "one", resume=True)
    with Run.begin(config(), DATA, "one", resume=True) as run:
        assert (run.folder / "part-0.json").exists()


def test_two_processes_do_not_make_one_run() -> None:
    with Run.begin(config(), DATA, "one"), pytest.raises(UsageError, match="another process"):
        Run.begin(config(), DATA, "one")


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "a b", "x" * 101, "-x"])
def test_an_id_is_a_folders_name(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a run id"):
        Run.begin(config(), DATA, name)


def test_a_run_that_is_not_there_names_the_nearest() -> None:
    finished(config(), "monday")
    with pytest.raises(NoData, match="there are monday"):
        runs.find("mondai")


def test_json_has_no_nan() -> None:
    with Run.begin(config(), DATA, "one") as run, pytest.raises(ValueError, match="JSON"):
        run.write_json("metrics.json", {"Sharpe": float("nan")})
