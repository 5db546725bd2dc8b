"""What becomes of a node whose data is over its budget, or whose disk runs full."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from blockdag import guard
from blockdag.guard import Rules, verdict

GB = 10**9
ROOMY: dict[str, Any] = {"bytes": 1 * GB, "at_least_bytes": 1 * GB, "free_bytes": 50 * GB}


class Host:
    """systemd's word for each order, and what the probe found."""

    def __init__(self, folder: Path, code: int = 0, when_full: str = "stop") -> None:
        self.asked: list[str] = []
        self.probe, self.full, self._code = folder / "probe.json", folder / "full", code
        self._given = {
            "BLOCKDAG_PROBE": str(self.probe), "BLOCKDAG_BUDGET_GB": "10", "BLOCKDAG_KEEP_FREE_GB": "2",
            "BLOCKDAG_WHEN_FULL": when_full,
        }  # fmt: skip

    def look(self, state: str, **disk: Any) -> int:
        self.probe.write_text(json.dumps({"container": {"state": state}, "disk": ROOMY | disk}))
        return guard.main(self._given, self._do)

    def _do(self, verb: str) -> int:
        self.asked.append(verb)
        return self._code


@pytest.mark.parametrize(
    ("disk", "said"),
    [
        ({}, ""),
        ({"bytes": 10 * GB}, "its data takes 10.00 GB of a budget of 10 GB"),
        ({"bytes": None, "at_least_bytes": 11 * GB}, "its data takes 11.00 GB"),
        ({"bytes": None, "at_least_bytes": 1 * GB}, "?"),
        ({"bytes": None, "at_least_bytes": None, "free_bytes": None}, "?"),
        ({"free_bytes": 1 * GB}, "only 1.00 GB are free, and 2 GB must stay so"),
        ({"bytes": int(9.7 * GB)}, "?"),
    ],
)
def test_what_is_found_of_the_disk(disk: dict[str, Any], said: str) -> None:
    found = verdict(ROOMY | disk, Rules(10 * GB, 2 * GB, is_stopped=False))
    assert found.startswith(said) if said else found == ""


def test_a_full_node_is_stopped_once_and_started_once_there_is_room(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.look("running", bytes=12 * GB)
    host.look("exited", bytes=12 * GB)
    host.look("exited", bytes=int(9.8 * GB))  # just below the budget is not room
    assert (host.asked, host.full.read_text()) == (["stop"], "its data takes 12.00 GB of a budget of 10 GB\n")
    host.look("exited")
    host.look("running")
    assert (host.asked, host.full.exists()) == (["stop", "start"], False)


def test_a_node_that_somebody_stopped_stays_so(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.look("exited")
    assert host.asked == []


def test_a_node_that_is_started_while_full_is_stopped_again(tmp_path: Path) -> None:
    host = Host(tmp_path)
    for state in ("running", "exited", "running"):
        host.look(state, bytes=12 * GB)
    assert host.asked == ["stop", "stop"]


def test_told_only_to_alert_it_does_nothing(tmp_path: Path) -> None:
    host = Host(tmp_path, when_full="alert")
    assert (host.look("running", bytes=12 * GB), host.asked) == (0, [])


def test_an_order_that_fails_is_told_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = Host(tmp_path, code=1)
    assert [host.look("running", bytes=12 * GB), host.look("running", bytes=12 * GB)] == [1, 1]
    assert "blockdag.service could not be stopped: its data takes" in capsys.readouterr().out
    assert host.asked == ["stop", "stop"]
