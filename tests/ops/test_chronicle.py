"""What deploys and rotations tell the log book, and what they do not."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ops import deploy as deploying
from ops import host_tasks, paths, secrets_tasks
from ops.deploy import HostResult
from ops.inventory import Host, Inventory
from ops.role_config import RoleConfig
from ops.secrets import project_vault
from runtime.journal import runner
from runtime.journal.book import parse
from tests.ops.conftest import PROJECT

Configs = dict[str, type[RoleConfig]]
Deploy = Callable[..., int]
CHANGED = [
    {"role": "base", "resource": "a", "result": "changed", "ms": 1},
    {"role": "webhook", "resource": "b", "result": "changed", "ms": 1},
    {"role": "webhook", "resource": "c", "result": "ok", "ms": 1},
]
RULES = "version: 1\njournal: {%s}\nhosts:\n  main: {roles: []}\n"


@pytest.fixture
def book(machine: Path) -> Path:
    paths.INVENTORY.write_text(RULES % "")
    return paths.INVENTORY.with_name("journal.md")


@pytest.fixture
def deploy(book: Path, monkeypatch: pytest.MonkeyPatch, configs: Configs) -> Deploy:
    """`./inv deploy` from where the host has answered: what it answered is given."""

    def run(result: HostResult, *, plan: bool = False, json: bool = False, lab: bool = False, to: Path = book) -> int:
        host = Host(result.host, "192.0.2.1", lab=lab)
        monkeypatch.setattr(deploying, "deploy", lambda *_, **__: [result])
        monkeypatch.setattr(deploying, "inventory", lambda: load())
        return host_tasks.deploy([host], role=None, plan=plan, diff=False, json=json, journal=partial(runner.write, to))

    def load() -> Inventory:
        from ops.inventory import load as read

        return read(paths.INVENTORY, configs)

    return run


def result(outcome: str = "done", **more: Any) -> HostResult:
    return HostResult("main", "20260301-abc", 14.21, outcome, list(CHANGED), **more)


def entries(book: Path) -> list[Any]:
    return list(parse(book.read_bytes()).entries()) if book.exists() else []


def test_a_deploy_that_changed_something_is_told(deploy: Deploy, book: Path) -> None:
    assert deploy(result()) == 0
    (found,) = entries(book)
    assert (found.kind, found.title) == ("note", "Déploiement : main")
    for line in ("hôte : main", "release : 20260301-abc", "issue : réussi", "changements : 2 (base 1, webhook 1)",
                 "durée : 14.2 s", "`/opt/trading/releases/20260301-abc`", "par : "):  # fmt: skip
        assert line in found.text


def test_a_rollback_and_a_failure_say_what_made_them(deploy: Deploy, book: Path) -> None:
    assert deploy(result("rolled-back", end={"check": "http ready: 503", "undone": ["a", "b"]})) == 1
    assert deploy(result("failed", error="main: no room left\n  -> free some space")) == 1
    back, failed = entries(book)
    assert back.title == "Retour en arrière : main"
    assert "contrôle refusé : http ready: 503" in back.text
    assert "issue : échoué" in failed.text
    assert "message : main: no room left" in failed.text


@pytest.mark.parametrize("how", [{"plan": True}, {"lab": True}])
def test_a_plan_and_a_lab_are_not_told(deploy: Deploy, book: Path, how: dict[str, bool]) -> None:
    deploy(result(), **how)
    assert entries(book) == []


def test_a_run_that_changed_nothing_is_not_told(deploy: Deploy, book: Path) -> None:
    deploy(HostResult("main", "x", 1.0, "done", [CHANGED[2]]))
    assert entries(book) == []


@pytest.mark.parametrize(("rule", "outcome"), [("deploys", "done"), ("rollbacks", "rolled-back")])
def test_each_kind_can_be_switched_off(deploy: Deploy, book: Path, rule: str, outcome: str) -> None:
    paths.INVENTORY.write_text(RULES % f"{rule}: false")
    deploy(result(outcome))
    assert entries(book) == []
    deploy(result("done" if outcome != "done" else "rolled-back"))
    assert len(entries(book)) == 1


def test_a_log_book_that_cannot_be_written_fails_no_deploy(
    deploy: Deploy, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(result(), json=True, to=tmp_path / "nowhere" / "journal.md") == 0
    said = capsys.readouterr()
    assert "the log book was not told of this (Déploiement : main)" in said.err
    assert said.out.startswith("{")


def test_a_rotation_is_told_without_any_value(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.INVENTORY.write_text((Path(__file__).parents[2] / "inventory.yaml").read_text())
    project_vault().set("webhook_key", "the-old-value-of-the-key", None)
    monkeypatch.setattr("sys.stdin", io.StringIO("the-new-value-of-the-key\n"))
    secrets_tasks.rotate("webhook_key", value_from_stdin=True, configs=PROJECT, journal=partial(runner.write, book))
    (found,) = entries(book)
    assert found.title == "Rotation : webhook_key"
    assert "à déployer : ./inv deploy --host admin-trading" in found.text
    assert "-value-of-the-key" not in found.text
    capsys.readouterr()
