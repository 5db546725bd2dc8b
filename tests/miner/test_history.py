"""The readings' memory: what a chart is given, over restarts, and how large the file may become."""

from __future__ import annotations

from pathlib import Path

import pytest

from miner.monitor.history import STEPS, History
from miner.readings import Reading

BEGIN = 1_800_000_000.0  # a whole number of quarters of an hour


def cpu(value: float | None) -> list[Reading]:
    return [Reading("host.cpu_ratio", "", value)]


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "readings.db", 64_000_000)


def flush(history: History) -> None:
    history.write(history.take())


def test_what_was_just_measured_is_there_before_it_is_written(history: History) -> None:
    for number in range(4):
        history.add(BEGIN + 5 * number, cpu(number / 10))
    found = history.series("host.cpu_ratio", "", BEGIN, BEGIN + 60, 100)
    assert found == [(BEGIN + 5 * number, pytest.approx(number / 10)) for number in range(4)]
    assert history.series("host.cpu_ratio", "nobody", BEGIN, BEGIN + 60, 100) == []


def test_a_target_that_was_not_measured_is_a_gap(history: History) -> None:
    history.add(BEGIN, cpu(0.5))
    history.add(BEGIN + 5, [Reading("host.load_ratio", "", 1.0)])
    history.add(BEGIN + 10, cpu(None))
    history.add(BEGIN + 15, cpu(0.5))
    assert [value for _, value in history.series("host.cpu_ratio", "", BEGIN, BEGIN + 60, 100)] == [
        0.5,
        None,
        None,
        0.5,
    ]


def test_a_minute_is_the_mean_of_what_was_measured_in_it(history: History) -> None:
    for number in range(0, 3 * 3600, 30):
        history.add(BEGIN + number, cpu(0.2 if number % 60 else 0.4))
        if history.is_due:
            flush(history)
    found = history.series("host.cpu_ratio", "", BEGIN, BEGIN + 3 * 3600, 180)
    assert len(found) == pytest.approx(180, abs=2)
    assert all(value == pytest.approx(0.3) for _, value in found)


def test_a_day_is_drawn_with_as_many_points_as_were_asked_for(history: History) -> None:
    for number in range(0, 86_400, 60):
        history.add(BEGIN + number, cpu(number / 86_400))
        if history.is_due:
            flush(history)
    found = history.series("host.cpu_ratio", "", BEGIN, BEGIN + 86_400, 96)
    assert 90 <= len(found) <= 97
    values = [value for _, value in found if value is not None]
    assert values == sorted(values) and values[0] < 0.02 and values[-1] > 0.97


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    for part in range(4):
        history = History(tmp_path / "readings.db", 64_000_000)
        for number in range(0, 20 * 60, 10):
            history.add(BEGIN + part * 1200 + number, cpu(1.0 if number % 20 else 0.0))
        history.close()
    history = History(tmp_path / "readings.db", 64_000_000)
    found = history.series("host.cpu_ratio", "", BEGIN, BEGIN + 4800, 5)
    assert [value for _, value in found] == [pytest.approx(0.5)] * len(found) and len(found) >= 5


def test_the_file_stays_within_its_limit(tmp_path: Path) -> None:
    path, limit = tmp_path / "readings.db", 1_000_000
    history = History(path, limit)
    many = [Reading("stick.ghs", str(number), 1.0) for number in range(400)]
    for number in range(0, 4 * 3600, 5):
        history.add(BEGIN + number, many)
        if history.is_due:
            flush(history)
    history.close()
    assert path.stat().st_size < 2 * limit
    newest = History(path, limit).series("stick.ghs", "399", BEGIN + 4 * 3600 - 300, BEGIN + 4 * 3600, 100)
    assert len(newest) > 50, "it is the oldest that goes"


def test_a_file_that_is_no_database_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "readings.db"
    path.write_bytes(b"not a database" * 1000)
    history = History(path, 1_000_000)
    history.add(BEGIN, cpu(0.5))
    history.close()
    assert History(path, 1_000_000).series("host.cpu_ratio", "", BEGIN - 1, BEGIN + 1, 10)


def test_the_steps_grow() -> None:
    assert [step.seconds for step in STEPS] == sorted(step.seconds for step in STEPS)
    assert sum(step.part for step in STEPS) == pytest.approx(1)
