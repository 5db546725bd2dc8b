"""doctor on the machine that deploys, what people and scripts are shown, and how it ends when hosts cannot be asked."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from ops import deploy, paths
from ops.deploy import HostResult
from ops.doctor import controller, run
from ops.doctor.finding import CONTROLLER, at, ok, problem
from ops.doctor.show import show
from ops.errors import UsageError
from ops.report_status import show_status
from tests.ops.doctor_kit import HOST, WELL, judged

FACTS: dict[str, Any] = {
    "python": [3, 11], "venv": "fresh", "free": 1e10, "keys": [], "keyless": ["rig"], "own_keys": ["id_ed25519"],
    "agent": None, "git": {"branch": "main...origin/main", "changed": [], "under_way": [], "lock": "", "lock_age": 0},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "name", "level"),
    [
        ({}, "", ""),
        ({"python": [3, 9]}, "python", "problem"),
        ({"venv": "stale"}, "venv", "problem"),
        ({"venv": "other"}, "venv", "notice"),
        ({"free": 1e6}, "disk", "problem"),
        ({"own_keys": []}, "ssh.none", "problem"),
        ({"own_keys": [], "agent": 1}, "", ""),
        ({"keys": [{"host": "rig", "path": "~/.ssh/k", "mode": None}]}, "ssh.key", "problem"),
        ({"keys": [{"host": "rig", "path": "~/.ssh/k", "mode": 0o644}]}, "ssh.key_mode", "problem"),
        ({"git": None}, "git", "notice"),
        ({"git": {**FACTS["git"], "changed": ["inventory.yaml"]}}, "git.changed", "notice"),
        ({"git": {**FACTS["git"], "branch": "main...origin/main [behind 2]"}}, "git.behind", "notice"),
        ({"git": {**FACTS["git"], "under_way": ["MERGE_HEAD"]}}, "git.under_way", "problem"),
        ({"git": {**FACTS["git"], "lock": "/x/.git/index.lock", "lock_age": 4000}}, "git.lock", "problem"),
    ],
)
def test_this_machine_is_looked_at_too(changed: dict[str, Any], name: str, level: str) -> None:
    found = [(one.name, one.level) for one in controller.judge(FACTS | changed) if one.level != "ok"]
    assert found == ([(name, level)] if name else [])


def test_this_machine_can_be_gathered() -> None:
    assert set(controller.gather([HOST])) == set(FACTS)


def test_a_person_sees_problems_with_their_command_and_a_count_of_the_rest() -> None:
    found = at("rig", judged(failed=[{"name": "x.service", "result": "signal", "log": []}]))
    lines = io.StringIO()
    show(found, ["rig"], False, lines)
    said = lines.getvalue().splitlines()
    assert said[0].startswith("rig: 1 problem, ") and said[0].endswith(" well")
    assert said[1] == "  problem  services: x.service failed (signal) (it is no service of ours, and may be needed)"
    assert said[2].strip().startswith("-> on rig: journalctl -u x.service")
    assert len(said) == 3
    show(found, ["rig"], True, lines)
    assert "  ok       machine: runs debian 12" in lines.getvalue()


def test_status_shows_what_the_tunnel_and_the_node_say() -> None:
    end: dict[str, Any] = {"units": [], "checks": [], "release": "", "last": {}, "up": 60.0}
    disk = [{"path": "/", "free": 1e9, "total": 2e9}]
    failed = {**WELL["told"]["tunnel"], "state": "failed", "why": "the URL is taken", "hint": "stop the other"}
    for told, line in (
        ({"tunnel": WELL["told"]["tunnel"]}, "tunnel     ngrok up since 2026-09-21T14:13:20Z  https://a.example"),
        ({"tunnel": failed}, "tunnel     ngrok failed since 2026-09-21T14:13:20Z  the URL is taken -> stop the other"),
        ({"node": WELL["told"]["node"]}, "node       dag running, block 5, 3 peers, ? behind"),
        ({"node": {"docker": "down"}, "tunnel": None}, "node       None docker down, block ?, ? peers, ? behind"),
    ):
        shown = io.StringIO()
        show_status([HostResult("rig", end=end | {"disk": disk, "told": told})], shown)
        assert f"  {line}\n" in shown.getvalue()


def test_scripts_get_one_object() -> None:
    found = [*at(CONTROLLER, [ok("git", "git", "clean")]), *at("rig", [problem("a", "b", "c", "d", "e")])]
    said = json.loads(json.dumps(run.as_json(found, ["rig"])))
    assert {key: said[key] for key in ("ok", "hosts", "problems", "notices", "well")} == {
        "ok": False, "hosts": ["rig"], "problems": 1, "notices": 0, "well": 1,
    }  # fmt: skip
    assert said["findings"][1] == {
        "where": "rig", "group": "a", "name": "b", "level": "problem", "says": "c", "means": "d", "mend": "e",
    }  # fmt: skip


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "inventory.yaml"
    monkeypatch.setattr(deploy, "INVENTORY", path)
    monkeypatch.setattr(paths, "INVENTORY", path)
    return path


def test_a_wrong_inventory_is_a_finding(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inventory.write_text("version: 1\nhosts:\n  rig: {adress: 10.0.0.1}\n")
    assert run.doctor(None, None, False, json=True, verbose=False) == 1
    said = json.loads(capsys.readouterr().out)
    found = [one for one in said["findings"] if one["name"] == "inventory"]
    assert "adress" in found[0]["says"] and found[0]["where"] == CONTROLLER


def test_a_host_that_does_not_answer_is_a_finding(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inventory.write_text("version: 1\nhosts:\n  rig: {address: 127.0.0.1, port: 1, roles: []}\n")
    assert run.doctor(None, None, False, json=True, verbose=False) == 1
    found = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["where"] == "rig"]
    assert [(one["group"], one["name"], one["level"]) for one in found] == [("connection", "ssh", "problem")]
    assert "is it switched on" in found[0]["mend"]


def test_a_host_that_nobody_knows_is_wrong_usage(inventory: Path) -> None:
    inventory.write_text("version: 1\nhosts:\n  rig: {address: 127.0.0.1, roles: []}\n")
    with pytest.raises(UsageError, match="no host"):
        run.doctor("nosuch", None, False, json=False, verbose=False)
    with pytest.raises(UsageError, match="say which hosts"):
        run.doctor("rig", None, True, json=False, verbose=False)
