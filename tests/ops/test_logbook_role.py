"""The role logbook: what reaches the host, read as the host's own programs read it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from ops.inventory import Host
from ops.plan import gather
from ops.render import render
from ops.resources import File, Unit
from ops.role import discover
from roles.logbook.role import Config
from roles.shared import JOURNAL
from tests.unit_kit import assert_hardened, needs_systemd

SECRET = "a\"b\\c$d`e #;'x"
HOST = Host("h", "10.0.0.1", roles=("webhook", "logbook"))


def env(**given: Any) -> str:
    return render("env/logbook.env.j2", {"c": Config(**given)})


def test_a_key_is_the_same_for_sh_and_for_systemd(tmp_path: Path) -> None:
    path = tmp_path / "logbook.env"
    path.write_text(env(openai_key=SecretStr(SECRET)))
    script = f'set -a; . {path}; printf %s "$OPENAI_API_KEY"'
    assert subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True).stdout == SECRET
    assert 'OPENAI_API_KEY="a\\"b\\\\c\\$d\\`e #;\'x"\n' in path.read_text()


def test_without_a_key_the_model_is_not_asked() -> None:
    assert "OPENAI_API_KEY" not in env()
    assert "JOURNAL_PATH=/opt/trading/journal.md\n" in env()


@pytest.mark.parametrize("wrong", [{"openai_url": "https://x/$(id)"}, {"openai_model": "a b"}, {"every": 0}])
def test_what_a_shell_would_read_otherwise_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Config(**wrong)


def test_jpt_hands_its_words_over_as_they_are(tmp_path: Path) -> None:
    """With a python and an environment file that stand in for the host's."""
    text = render("logbook/jpt.j2", {"c": Config()})
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s|" "$JOURNAL_TZ" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "env").write_text("JOURNAL_TZ=America/Montreal\n")
    text = text.replace("/opt/trading/venv/bin/python", str(python)).replace(
        "/opt/trading/.env.d/logbook.env", str(tmp_path / "env")
    )
    done = subprocess.run(
        ["sh", "-c", text.replace('[ "$(id -u)" = 0 ]', "true"), "jpt", "Séance d'été", "--no-model"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "America/Montreal|-P|-m|runtime.journal|save|Séance d'été|--no-model|"


@needs_systemd
def test_the_unit_is_hardened(tmp_path: Path) -> None:
    path = tmp_path / "journal-sync.service"
    path.write_text(render("systemd/journal-sync.service.j2", {"c": Config()}))
    assert_hardened(path, 2.5)


def test_the_log_book_is_one_thing_for_both_roles_and_its_timer_runs() -> None:
    roles = {name: role for name, role in discover().items() if name in HOST.roles}
    configs: dict[str, Any] = {
        "webhook": roles["webhook"].config.model_validate({"webhook_key": "k" * 12, "ops_key": "o" * 12}),
        "logbook": Config(every=7),
    }
    found = [resource for _, resource in gather(HOST, configs, roles)]
    assert found.count(JOURNAL) == 1
    assert isinstance(JOURNAL, File)
    assert (JOURNAL.content, JOURNAL.owner) == (None, "trading")
    assert {one.unit for one in found if isinstance(one, Unit)} >= {"journal-sync.service", "journal-sync.timer"}
    assert "OnUnitInactiveSec=7min\n" in render("systemd/journal-sync.timer.j2", {"c": configs["logbook"]})
