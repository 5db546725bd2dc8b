"""kill -9 in the middle of an `add`, at each of its steps: the series is as before, or as after, and goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from quant.dataset import Dataset
from tests.quant.dataset.series import bars
from tests.quant.dataset.test_dataset import contents

KILLED = Path(__file__).with_name("killed.py")
ROOT = Path(__file__).parents[3]


def found_after_each_kill(url: Path, before: int, after: int) -> list[int]:
    command = [sys.executable, "-P", "-m", "tests.quant.dataset.killed", str(url), str(before), str(after)]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[int] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("before", [0, 9_000])
def test_a_killed_writer_leaves_the_series_whole(tmp_path: Path, before: int) -> None:
    if before:
        Dataset(str(tmp_path)).add(bars(before))
    found = found_after_each_kill(tmp_path, before, 20_000)
    assert len(found) > 10
    assert set(found) == {before, 20_000}
    assert found == sorted(found)
    Dataset(str(tmp_path / "fresh")).add(bars(20_000))
    fresh = contents(tmp_path / "fresh")
    left = {name: data for name, data in contents(tmp_path).items() if not name.startswith("fresh")}
    assert left == fresh


def test_a_reader_beside_a_writer_sees_whole_updates(tmp_path: Path) -> None:
    dataset, candles = Dataset(str(tmp_path)), bars(3_000)
    dataset.add(candles.part(0, 100))

    def write() -> None:
        for end in range(200, 3_001, 100):
            dataset.add(candles.part(end - 100, end))

    writer = threading.Thread(target=write)
    writer.start()
    lengths = [len(Dataset(str(tmp_path)).load("BTC/USDT", "1h"))]
    while writer.is_alive():
        lengths.append(len(Dataset(str(tmp_path)).load("BTC/USDT", "1h")))
    writer.join()
    assert all(length % 100 == 0 for length in lengths)
    assert lengths == sorted(lengths)


def test_two_writers_wait_for_each_other(tmp_path: Path) -> None:
    candles = bars(8_000)
    halves = [candles.part(0, 5_000), candles.part(3_000, 8_000)]
    writers = [threading.Thread(target=Dataset(str(tmp_path)).add, args=[half]) for half in halves]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert Dataset(str(tmp_path)).load("BTC/USDT", "1h").sha256 == candles.sha256


def test_a_removed_catalogue_entry_is_made_again_from_the_files(tmp_path: Path) -> None:
    dataset, candles = Dataset(str(tmp_path)), bars(20_000)
    dataset.add(candles.part(0, 15_000))
    next(tmp_path.rglob("series.json")).unlink()
    assert dataset.add(candles.part(15_000, 20_000)).series.sha256 == candles.sha256
    assert dataset.load("BTC/USDT", "1h").sha256 == candles.sha256
