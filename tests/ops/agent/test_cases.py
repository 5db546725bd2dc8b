"""What each kind finds different between a host's state and the plan: every file under cases/ is one test.

A case has `state`, `want` and the `changes` that follow; `never` lists words that must not appear in them, `skipped`
says why the kind leaves part of `want` alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.agent.kinds import all_kinds
from ops.agent.kinds.base import Kind
from ops.agent.memory import Memory

CASES = Path(__file__).with_name("cases")
FILES = sorted(CASES.glob("*/*.json"))


@pytest.fixture
def kinds(tmp_path: Path) -> dict[str, Kind]:
    return all_kinds(Memory(tmp_path), {})


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path, kinds: dict[str, Kind]) -> None:
    case: dict[str, Any] = json.loads(path.read_text())
    kind = kinds[path.parent.name]
    found = [change.json() for change in kind.changes(case["state"], case["want"])]
    assert found == case["changes"]
    assert not [word for word in case.get("never", ()) if word in json.dumps(found)]
    if "skipped" in case:
        assert kind.skipped(case["state"], case["want"]) == case["skipped"]


def test_every_kind_has_cases_and_every_folder_a_kind(kinds: dict[str, Kind]) -> None:
    assert {path.parent.name for path in FILES} == set(kinds)
    assert {path.name for path in CASES.iterdir()} == set(kinds)


def test_every_kind_has_a_case_without_changes_and_one_with(kinds: dict[str, Kind]) -> None:
    cases = [(path.parent.name, bool(json.loads(path.read_text())["changes"])) for path in FILES]
    assert set(cases) == {(kind, differs) for kind in kinds for differs in (True, False)}


def test_comparing_changes_neither_side(kinds: dict[str, Kind]) -> None:
    for path in FILES:
        case = json.loads(path.read_text())
        kinds[path.parent.name].changes(case["state"], case["want"])
        assert case == json.loads(path.read_text()), path
