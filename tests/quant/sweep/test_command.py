"""`python -m quant.sweep` as a person uses it: what it leaves, what it says, and how it goes on after a kill."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from quant import cli
from quant.dataset import Dataset
from quant.metrics import DEFINITIONS, HEADLINE
from quant.sweep import __main__ as sweep
from quant.sweep.kept import NAME, Kept
from quant.sweep.progress import line
from tests.quant.sweep.kit import started, walk, written

SPACE = {"fast": [3, 5, 8, 60], "slow": [20, 40, 60]}
LONG = {
    "sweep": {"space": {"fast": {"from": 2, "to": 90}, "slow": {"from": 100, "to": 180}}, "min_days": 1},
    "exits": {"stop_atr": 2},
}
"""7,209 combinations: some seconds of work."""


def swept(*words: str) -> int:
    return cli.main(sweep.parser(), sweep.run, list(words))


def made(home: Path, run_id: str, sections: dict[str, Any], *words: str) -> Path:
    path = written(home, {"sweep": {"space": SPACE, "min_days": 1}, **sections})
    assert swept("--config", str(path), "--run-id", run_id, *words) == 0
    return home / "reports" / run_id


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_grid_leaves_tables_maps_and_a_report_of_the_best(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(home, "one", {"sweep": {"space": SPACE, "min_trades": 100, "min_days": 1}})
    everything, enough = rows(folder / "summary_all.csv"), rows(folder / "summary_filtered.csv")
    assert list(everything[0]) == ["fast", "slow", *DEFINITIONS]
    assert len(everything) == 9
    assert enough == [row for row in everything if int(row["trades"]) >= 100]
    assert 0 < len(enough) < 9
    sharpes = [float(row["Sharpe"]) for row in everything]
    assert sharpes == sorted(sharpes, reverse=True)
    found = json.loads((folder / "metrics.json").read_text())
    assert {name: str(found["best"][name]) for name in ("fast", "slow")} == {n: enough[0][n] for n in ("fast", "slow")}
    assert (found["trials"], found["enough"], found["refused"]) == (9, len(enough), 3)
    assert found["Sharpe"] == float(enough[0]["Sharpe"])
    assert 0 <= found["DSR"] <= found["PSR"]
    assert [name for name in found if name in HEADLINE]
    assert {"trades.csv", "equity.parquet", "equity.png", "report.html", "config.yaml"} <= set(contents(folder))
    assert NAME not in contents(folder)
    said = capsys.readouterr()
    assert "9 combinations tried" in said.out
    assert "3 left out" in said.out
    assert re.search(r"sweep: 9 of 9 \(100%\), [\d,]+ combinations/s, [\d.,]+ ns a bar", said.err)


def test_the_trades_are_those_of_the_best(home: Path) -> None:
    folder = made(home, "one", {"exits": {"stop_atr": 2}}, "--processes", "1")
    found = json.loads((folder / "metrics.json").read_text())
    assert len(rows(folder / "trades.csv")) == found["trades"]


def test_the_map_has_a_mean_for_each_pair_and_nothing_where_it_is_refused(home: Path) -> None:
    space = SPACE | {"exits.stop_atr": [2.0, 3.0]}
    folder = made(home, "one", {"sweep": {"space": space, "min_days": 1}}, "--processes", "1")
    maps = json.loads((folder / "heatmaps.json").read_text())["heatmaps"]
    assert [(one["x"], one["y"]) for one in maps] == [
        ("fast", "slow"), ("fast", "exits.stop_atr"), ("slow", "exits.stop_atr"),
    ]  # fmt: skip
    here = [row for row in rows(folder / "summary_all.csv") if (row["fast"], row["slow"]) == ("3", "20")]
    assert len(here) == 2
    assert maps[0]["values"][0][0] == pytest.approx(sum(float(row["Sharpe"]) for row in here) / 2)
    assert maps[0]["values"][0][3] is None
    assert "Sharpe by fast and slow" in (folder / "report.html").read_text()


def test_processes_change_nothing(home: Path) -> None:
    sections = {"exits": {"stop_atr": 2}}
    assert contents(made(home, "one", sections, "--processes", "1")) == contents(
        made(home, "two", sections, "--processes", "2")
    )


def test_optuna_asks_the_same_on_one_core_and_on_two(home: Path) -> None:
    space = {"fast": {"from": 2, "to": 30}, "slow": {"from": 20, "to": 200, "step": 5}}
    sections = {"sweep": {"space": space, "method": "optuna", "trials": 40, "min_days": 1}, "exits": {"stop_atr": 2}}
    one, two = made(home, "one", sections, "--processes", "1"), made(home, "two", sections, "--processes", "2")
    assert contents(one) == contents(two)
    assert 20 < len(rows(one / "summary_all.csv")) <= 40


def test_a_draw_has_as_many_as_asked(home: Path) -> None:
    space = {"fast": {"from": 2, "to": 30}, "slow": {"from": 20, "to": 200}}
    folder = made(home, "one", {"sweep": {"space": space, "method": "random", "trials": 25}})
    assert len(rows(folder / "summary_all.csv")) == 25


def test_none_with_enough_trades_shows_all_and_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(home, "one", {"sweep": {"space": SPACE, "min_trades": 100_000}})
    assert rows(folder / "summary_filtered.csv") == []
    assert "these are the best of all" in capsys.readouterr().err


def test_the_same_run_again_does_nothing_and_another_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(home, "one", {})
    before = contents(folder)
    made(home, "one", {})
    assert "is the very same: nothing was done" in capsys.readouterr().err
    path = written(home, {"sweep": {"space": SPACE, "min_days": 1}, "costs": {"taker_fee": 0.001}})
    assert swept("--config", str(path), "--run-id", "one") == 2
    assert "run one exists already, and is another: it differs in config" in capsys.readouterr().err
    assert contents(folder) == before


def killed(home: Path, run_id: str) -> Path:
    """A sweep on two processes, killed when some of it is on disk; its unfinished folder."""
    program = started(home, "--run-id", run_id, "--processes", "2", "--no-journal")
    part = home / "reports" / f".{run_id}.part"
    limit = time.monotonic() + 120
    while not ((part / NAME).exists() and (part / NAME).stat().st_size):
        assert program.poll() is None, program.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
    workers = psutil.Process(program.pid).children(recursive=True)
    os.kill(program.pid, signal.SIGKILL)
    program.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert workers
    assert not alive, "processes outlived the sweep that started them"
    return part


def test_after_kill_9_it_goes_on_and_finished_jobs_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Dataset(str(home / "data")).add(walk(60_000, seed=2))
    sections = {
        "sweep": {"space": {"fast": {"from": 2, "to": 11}, "slow": {"from": 20, "to": 180}}, "min_days": 1},
        "exits": {"stop_atr": 2},
    }
    written(home, sections)
    part = killed(home, "one")
    with (part / NAME).open("ab") as file:
        file.write(b"[999, [{")  # a line that the kill cut short
    with Kept(part) as kept:
        finished = set(kept.rows)
    asked = list[int]()
    real = sweep.tried

    def watched(overrides: Any, size: int, place: Any, kept: Kept, progress: Any) -> Any:
        asked.extend(number for number in range(-(-len(overrides) // size)) if number not in kept.rows)
        return real(overrides, size, place, kept, progress)

    monkeypatch.setattr(sweep, "tried", watched)
    resumed = made(home, "one", sections, "--processes", "1", "--no-journal")
    assert finished
    assert not finished & set(asked)
    assert contents(resumed) == contents(made(home, "two", sections, "--processes", "1", "--no-journal"))


def test_what_a_kill_left_is_refused_to_another_config(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(home, LONG)
    part = killed(home, "one")
    before = (part / NAME).read_bytes()
    path = written(home, {"sweep": {"space": SPACE}, "exits": {"stop_atr": 3}})
    assert swept("--config", str(path), "--run-id", "one") == 2
    assert "run one" in (said := capsys.readouterr().err)
    assert "config" in said
    assert (part / NAME).read_bytes() == before


def test_ctrl_c_ends_all_processes_and_says_that_it_goes_on(home: Path) -> None:
    written(home, LONG)
    program = started(home, "--run-id", "one", "--processes", "2", "--no-journal")
    part = home / "reports/.one.part"
    limit = time.monotonic() + 120
    while not ((part / NAME).exists() and (part / NAME).stat().st_size):
        assert program.poll() is None, program.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
    os.killpg(program.pid, signal.SIGINT)
    _, said = program.communicate(timeout=60)
    assert program.returncode == cli.INTERRUPTED
    assert "the same command goes on" in said
    assert "Traceback" not in said
    assert not (home / "reports/one").exists()


@pytest.mark.parametrize("words", [("--processes", "0"), ("--processes", "two")])
def test_a_number_of_processes_is_one_or_more(
    home: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert swept("--config", "x.yaml", *words) == 2
    assert "is not a number of processes" in capsys.readouterr().err


def test_progress_tells_the_rate_and_what_is_left() -> None:
    assert line(50, 200, 25, 1000, 5.0) == "sweep: 50 of 200 (25%), 5 combinations/s, 200000.00 ns a bar, 0:30 min left"
    assert line(200, 200, 200, 1000, 2.0).endswith("100 combinations/s, 10000.00 ns a bar, in 2.0 s")
    assert line(10, 200, 0, 1000, 0.0) == "sweep: 10 of 200 (5%)"
    assert line(1, 100_000, 1, 1000, 1.0).endswith("27 h 46 min left")
