"""Killed at every step, for real: the paste is there, the next run says so, and one command finishes it, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ops.paths import ROOT
from runtime.journal.inbox import STATES
from tests.fakes.openai import OpenAI
from tests.journal.save_kit import BEFORE, PASTE, place

pytestmark = pytest.mark.timeout(900)  # a process for each kill: much time on a busy machine

Kills = list[dict[str, Any]]
SAVE = ("save", "Essai", "FOLDER/paste.txt")


def killed(tmp_path: Path, words: tuple[str, ...], env: dict[str, str], *, steps: tuple[int, int] = (1, 1)) -> Kills:
    """What was told of each kill, in order, at every second, third... step from the first; the last run was not killed.

    For `retry` there is an entry already, made by rules.
    """
    template = tmp_path / "template"
    template.mkdir()
    made = place(template)
    for name, text in {"paste.txt": PASTE, "other.txt": "TODO: autre chose\n", "before.md": BEFORE}.items():
        (template / name).write_text(text)
    if words == ("retry",):
        with patch("runtime.journal.vcs.sync_later"):
            made.run("save", "Essai", str(template / "paste.txt"))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-P", "-m", "tests.journal.kill_kit", str(tmp_path / "run"), *map(str, steps), *words]
    environment = kept | {"PYTHONPATH": str(ROOT)} | env
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=850)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(kills: Kills, *, made_by: str) -> None:
    assert [kill["code"] for kill in kills] == [-9] * (len(kills) - 1) + [0]
    for kill in kills:
        assert (kill["retried"], kill["left"], kill["whole"], kill["committed"]) == (0, [], True, True), kill
        assert len(kill["entries"]) == len(kill["pastes"]) <= 1, kill
        assert kill["pastes"] in ([], [PASTE]), kill
        assert all(made_by in entry for entry in kill["entries"]), kill
    first = next(number for number, kill in enumerate(kills) if "stored" in kill["states"])
    assert all(kill["pastes"] for kill in kills[first:])


def test_a_save_killed_at_any_step_is_finished_once_by_retry(tmp_path: Path) -> None:
    kills = killed(tmp_path, SAVE, {})
    check(kills, made_by="sans modèle")
    assert len(kills) > 50
    states = {state for kill in kills for state in kill["states"]}
    assert states == {"receiving", "stored", "drafted", "writing", "written", "done"}
    asked = [kill for kill in kills if kill["other"] is not None]
    assert [kill["states"] for kill in asked] == [[], *([state] for state in STATES if state != "improving")]
    for kill in asked:
        assert (kill["other"], kill["others"]) == (0, 1), kill
        assert ("1 paste waits" in kill["hint"]) == (kill["states"] not in ([], ["done"])), kill


def test_with_a_model_too(tmp_path: Path, model: OpenAI) -> None:
    env = {"OPENAI_API_KEY": "sk-test-FakeKeyOfTheTests0123456789abcd", "OPENAI_BASE_URL": model.url}
    check(killed(tmp_path, SAVE, env, steps=(22, 8)), made_by="- un but")


def test_an_improvement_killed_at_any_step_leaves_one_entry(tmp_path: Path, model: OpenAI) -> None:
    env = {"OPENAI_API_KEY": "sk-test-FakeKeyOfTheTests0123456789abcd", "OPENAI_BASE_URL": model.url}
    kills = killed(tmp_path, ("retry",), env, steps=(1, 4))
    assert "improving" in {state for kill in kills for state in kill["states"]}
    for kill in kills:
        assert (kill["retried"], kill["left"], kill["whole"], kill["committed"]) == (0, [], True, True), kill
        (entry,) = kill["entries"]
        assert "- un but" in entry
        assert "sans modèle" not in entry
