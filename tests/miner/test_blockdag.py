"""This host's node as the monitor sees it: through the file that root's probe leaves, and what people are told then."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from miner import notes
from miner.alerts.words import Words
from miner.monitor.collect.blockdag import MORE, NODE, BlockDag
from miner.readings import Reading
from runtime import clock
from tests.miner.alert_kit import Line, reading
from tests.miner.collect_kit import WELL, Found, found_by, value


class Probe:
    def __init__(self, file: Path) -> None:
        self.file, self.collector = file, BlockDag(file)

    def tells(self, *, age: float = 0, **changed: Any) -> Found:
        """What the monitor makes of WELL with some of it changed."""
        found = {**WELL, "at": clock.iso(clock.now() - timedelta(seconds=age))}
        for name, given in changed.items():
            found[name] = {**found[name], **given} if isinstance(given, dict) else given
        self.file.write_text(json.dumps(found))
        return found_by(self.collector)


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return Probe(tmp_path / "probe.json")


def test_a_node_that_is_well(probe: Probe) -> None:
    found = probe.tells()
    wanted = {"container": 1, "restarts": 0, "restarts_per_hour": 0, "running": 1, "peers": 8, "lag": 2,
              "height": 1000, "syncing": 0, "disk_ratio": 0.43, "disk_days": 19}  # fmt: skip
    assert {name: value(found, f"node.{name}", "dag") for name in wanted} == wanted
    assert value(found, "docker.answers") == 1
    assert 0 <= (value(found, "node.probe_age", "dag") or 0) < 30
    assert found["node.disk_ratio", "dag"].note == "43 GB of 100 GB"
    assert found["node.disk_days", "dag"].note == "43 GB of 100 GB, 3 GB more each day"
    assert found["node.lag", "dag"].note == "block 1000"


def test_a_container_that_ended_is_told_with_its_reason(probe: Probe) -> None:
    why = "the container node has ended: killed for want of memory"
    found = probe.tells(
        why=why, container={"state": "exited", "why": why}, rpc={"state": "silent", "why": "nobody listens at a:1",
        "height": None, "peers": None, "lag": None, "syncing": None}, initial_download=None,
    )  # fmt: skip
    assert (value(found, "node.container", "dag"), found["node.container", "dag"].note) == (0, why)
    assert (value(found, "node.running", "dag"), found["node.running", "dag"].note) == (0, "nobody listens at a:1")
    for name in ("peers", "lag", "height", "standstill_s", "syncing"):
        assert value(found, f"node.{name}", "dag") is None
    assert value(found, "node.disk_ratio", "dag") == 0.43


def test_docker_that_is_down_says_nothing_of_the_container(probe: Probe) -> None:
    found = probe.tells(docker="down", why="Docker at /s: nobody listens there", container=None)
    assert found["docker.answers", ""] == Reading("docker.answers", "", 0, "Docker at /s: nobody listens there")
    assert value(found, "node.container", "dag") is None and value(found, "node.restarts", "dag") is None
    assert value(found, "node.running", "dag") == 1, "with live-restore it goes on without Docker"


def test_a_node_that_refuses_runs_and_one_that_is_none_does_not(probe: Probe) -> None:
    nothing = {"height": None, "peers": None, "lag": None, "syncing": None}
    refused = probe.tells(rpc={**nothing, "state": "refused", "why": "it refuses the user and the password"})
    assert value(refused, "node.running", "dag") == 1 and value(refused, "node.peers", "dag") is None
    assert refused["node.peers", "dag"].note == "it refuses the user and the password"
    strange = probe.tells(rpc={**nothing, "state": "strange", "why": "the answer is no HTTP"})
    assert value(strange, "node.running", "dag") == 0


def test_restarts_are_counted_from_where_they_were_first_seen(probe: Probe) -> None:
    probe.tells(container={"restarts": 40})
    found = probe.tells(container={"restarts": 47, "state": "restarting"})
    assert (value(found, "node.restarts", "dag"), value(found, "node.restarts_per_hour", "dag")) == (47, 7)
    found = probe.tells(container={"restarts": 0})  # made anew
    assert value(found, "node.restarts_per_hour", "dag") == 0


@pytest.mark.parametrize(
    ("says", "logs", "syncing"),
    [(False, False, 0), (True, False, 1), (False, True, 1), (None, True, 1), (None, None, None), (None, False, 0)],
)
def test_it_syncs_when_it_says_so_or_logs_it(
    probe: Probe, says: bool | None, logs: bool | None, syncing: float | None
) -> None:
    assert value(probe.tells(rpc={"syncing": says}, initial_download=logs), "node.syncing", "dag") == syncing


def test_what_could_not_be_counted_counts_when_it_is_already_too_much(probe: Probe) -> None:
    why = "/data cannot be counted within 3 s"
    some = {"bytes": None, "at_least_bytes": 50_000_000_000, "growth_bytes_per_day": None, "why": why}
    found = probe.tells(disk=some)
    assert (value(found, "node.disk_ratio", "dag"), found["node.disk_ratio", "dag"].note) == (None, why)
    found = probe.tells(disk={**some, "at_least_bytes": 95_000_000_000})
    assert value(found, "node.disk_ratio", "dag") == 0.95 and value(found, "node.disk_days", "dag") is None


def test_a_node_that_shrinks_is_never_full(probe: Probe) -> None:
    assert value(probe.tells(disk={"growth_bytes_per_day": -5}), "node.disk_days", "dag") == 3650
    assert value(probe.tells(disk={"bytes": 200_000_000_000}), "node.disk_days", "dag") == 0


def test_an_old_probe_says_only_that_it_is_old(probe: Probe) -> None:
    found = probe.tells(age=100)
    assert 100 <= (value(found, "node.probe_age", "dag") or 0) < 130
    note = f"nobody has looked lately: {probe.file} is old"
    assert {(found[name, "dag"].value, found[name, "dag"].note) for name in (*NODE, *MORE)} == {(None, note)}


def test_a_probe_that_never_was_gets_older_all_the_same(probe: Probe) -> None:
    found = found_by(probe.collector)
    assert found["node.probe_age", "blockdag"].note == f"there is no {probe.file}"
    assert value(found, "node.probe_age", "blockdag") is not None and value(found, "docker.answers") is None


GONE = (reading("node.container", 0, "n", "the container node has ended: exit code 1"), reading("node.running", 0, "n"))


def test_a_container_that_ended_is_one_message() -> None:
    line = Line()
    line.hold(120, reading("node.container", 1, "n"), reading("node.running", 1, "n"))
    line.hold(600, *GONE)
    line.hold(300, reading("node.container", 1, "n"), reading("node.running", 1, "n"))
    assert line.told == ["firing node.stopped n", "resolved node.stopped n"]


def test_docker_that_is_down_explains_what_it_takes_along() -> None:
    line = Line()
    line.hold(600, reading("docker.answers", 0), reading("node.container", None, "n"), reading("node.running", 0, "n"))
    assert line.told == ["firing docker.down"]
    line = Line()
    line.hold(600, reading("unit.active", 0, "docker.service"), reading("docker.answers", 0), *GONE)
    assert line.told == ["firing unit.down docker.service"]
    line = Line()
    line.hold(600, reading("unit.active", 0, "blockdag.service"), reading("docker.answers", 1), *GONE)
    assert line.told == ["firing unit.down blockdag.service"], "its owner stopped it, or could not start it"


def test_a_loop_of_restarts_is_one_message_though_the_container_comes_and_goes() -> None:
    """Docker waits 0.1 s, then twice as long each time, up to a minute."""
    line = Line()
    for quarter in range(120):
        count, up = min(8, 6 * quarter) + quarter // 4, float(quarter % 4 == 0)
        line.hold(15, reading("node.restarts_per_hour", float(count), "n"), reading("node.container", up, "n"),
                  reading("node.running", 0, "n"))  # fmt: skip
    assert line.told == ["firing node.restarting n"]


def test_a_node_that_fetches_the_chain_is_behind_and_that_is_no_alarm() -> None:
    line = Line()
    line.hold(3600, reading("node.running", 1, "n"), reading("node.syncing", 1, "n"), reading("node.lag", 90_000, "n"))
    assert line.told == ["firing node.syncing n"]
    line.hold(600, reading("node.running", 1, "n"), reading("node.syncing", 0, "n"), reading("node.lag", 5, "n"))
    assert line.told[1:] == ["resolved node.syncing n"]


def test_a_chain_that_stands_still_and_a_disk_that_fills() -> None:
    line = Line()
    line.hold(1200, reading("node.running", 1, "n"), reading("node.standstill_s", 1000, "n"))
    assert line.told == ["firing node.stuck n"]
    line = Line()
    line.hold(1200, reading("node.disk_ratio", 0.93, "n"), reading("node.disk_days", 3, "n"))
    line.hold(1200, reading("node.disk_ratio", 1.02, "n"), reading("node.disk_days", 0, "n"))
    assert line.told == ["firing node.disk_low n", "firing node.disk_full n"]


@pytest.mark.parametrize(
    ("rule", "metric", "value", "note", "french"),
    [
        ("node.stopped", "node.container", 0, "the container node has ended: killed for want of memory",
         "nœud n : son conteneur ne tourne pas — le conteneur node s'est arrêté : tué faute de mémoire"),
        ("node.restarting", "node.restarts_per_hour", 14,
         "the container node restarts again and again: 14 times, exit code 3",
         "nœud n : son conteneur redémarre 14 fois par heure — "
         "le conteneur node redémarre sans cesse : 14 fois, code de sortie 3"),
        ("docker.down", "docker.answers", 0, "Docker at /run/docker.sock: no answer within 2 s",
         "Docker ne répond pas — Docker à /run/docker.sock : pas de réponse en 2 s"),
        ("node.syncing", "node.syncing", 1, "block 12", "nœud n télécharge encore la chaîne — bloc 12"),
        ("node.disk_full", "node.disk_ratio", 1.02, "102 GB of 100 GB",
         "nœud n : espace disque dépassé, 102 % — 102 Go sur 100 Go"),
    ],
)  # fmt: skip
def test_what_is_told_in_french(rule: str, metric: str, value: float, note: str, french: str) -> None:
    assert Words("fr").alert(rule, metric, "n", value, note) == french


def test_notes_of_the_disk_in_french() -> None:
    told = notes.told("43 GB of 100 GB, 3 GB more each day", "node.disk_days", "fr")
    assert told == "43 Go sur 100 Go, 3 Go de plus par jour"
