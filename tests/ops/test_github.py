"""A deploy key by GitHub's API, and what the role writes for ssh."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ops import settings
from ops.errors import OpsError
from ops.github_api import add_key
from ops.inventory import Host
from ops.resources import Block, Command, File
from roles.github_ssh.role import Config, GithubSsh, known_hosts, ssh_config
from tests.fakes.github import SLUG, TOKEN, GitHub

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeKeyOfTheTests0000000000000000000000000 trading-ops@admin-trading"


@pytest.fixture
def github() -> Iterator[GitHub]:
    fake = GitHub().start()
    yield fake
    fake.stop()


def test_a_key_is_added_once_with_write_access(github: GitHub) -> None:
    assert add_key(github.url, SLUG, TOKEN, "trading-ops@h", KEY) is True
    assert add_key(github.url, SLUG, TOKEN, "trading-ops@h", KEY) is False
    assert [(key["title"], key["read_only"]) for key in github.keys] == [("trading-ops@h", False)]


def test_a_key_that_could_only_read_is_made_anew(github: GitHub) -> None:
    github.keys.append({"id": 7, "title": "old", "key": " ".join(KEY.split()[:2]), "read_only": True})
    assert add_key(github.url, SLUG, TOKEN, "new", KEY) is True
    assert [(key["title"], key["read_only"]) for key in github.keys] == [("new", False)]


@pytest.mark.parametrize(
    ("token", "slug", "setting", "words", "hint"),
    [
        ("wrong-token", SLUG, {}, "401: Bad credentials", "wrong or expired"),
        (TOKEN, "ann/other", {}, "404: Not Found", "OWNER/REPO"),
        (TOKEN, SLUG, {"forbidden": True}, "403", "Administration: write"),
        (TOKEN, SLUG, {"elsewhere": {" ".join(KEY.split()[:2])}}, "already in use", "another repository"),
    ],
)
def test_each_refusal_says_what_to_do(
    github: GitHub, token: str, slug: str, setting: dict[str, Any], words: str, hint: str
) -> None:
    for name, value in setting.items():
        setattr(github, name, value)
    with pytest.raises(OpsError) as told:
        add_key(github.url, slug, token, "t", KEY)
    assert words in str(told.value)
    assert hint in str(told.value)
    assert token not in str(told.value)


def test_an_api_that_does_not_answer(github: GitHub) -> None:
    github.stop()
    with pytest.raises(OpsError, match="cannot be reached"):
        add_key(github.url, SLUG, TOKEN, "t", KEY)


def test_a_token_comes_from_a_variable_that_must_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH", "x")
    assert settings.from_environment("GH") == "x"
    monkeypatch.delenv("GH")
    with pytest.raises(OpsError, match="GH is unset"):
        settings.from_environment("GH")


@pytest.mark.parametrize(
    ("given", "repository", "slug"),
    [
        ("git@github.com:ann/notes.git", "git@github.com:ann/notes.git", "ann/notes"),
        ("https://github.com/ann/notes", "git@github.com:ann/notes.git", "ann/notes"),
        ("https://ann:token@github.com/ann/notes.git", "git@github.com:ann/notes.git", "ann/notes"),
        ("ssh://git@10.0.0.1:2222/srv/notes.git", "ssh://git@10.0.0.1:2222/srv/notes.git", "srv/notes"),
    ],
)
def test_the_remote_is_always_an_ssh_one(given: str, repository: str, slug: str) -> None:
    config = Config(repository=given)
    assert (config.repository, config.slug) == (repository, slug)


@pytest.mark.parametrize("given", ["", "ann/notes", "git@github.com:-oProxyCommand=x", "git@host:a b", "/srv/notes"])
def test_what_is_no_repository_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="OWNER/REPO"):
        Config(repository=given)


PUBLISHED = {
    "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
    "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
    "SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s",
}
"""By GitHub: docs.github.com, "GitHub's SSH key fingerprints"."""


def test_github_s_published_keys_are_the_default(tmp_path: Path) -> None:
    (tmp_path / "known").write_text(known_hosts(Config(repository="git@github.com:ann/notes.git")))
    shown = subprocess.run(["ssh-keygen", "-lf", tmp_path / "known"], capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in shown.stdout.splitlines()} == PUBLISHED
    assert {line.split()[2] for line in shown.stdout.splitlines()} == {"github.com"}


def test_ssh_reads_our_block_as_meant_and_the_owner_s_lines_as_before(tmp_path: Path) -> None:
    config = Config(repository="git@10.0.0.1:notes.git", host="10.0.0.1", port=2222, home=str(tmp_path))
    (tmp_path / "config").write_text(ssh_config(config) + "Compression yes\nHost *\n    User ann\n    Port 99\n")

    def asked(host: str) -> dict[str, str]:
        shown = subprocess.run(
            ["ssh", "-F", tmp_path / "config", "-G", host], capture_output=True, text=True, check=True
        )
        return dict(line.split(" ", 1) for line in shown.stdout.splitlines() if " " in line)

    ours, other = asked("10.0.0.1"), asked("nas")
    assert (ours["user"], ours["port"], ours["identitiesonly"]) == ("git", "2222", "yes")
    assert ours["identityfile"] == f"{tmp_path}/.ssh/github_ed25519"
    assert ours["stricthostkeychecking"] in ("true", "yes")
    assert (other["user"], other["port"], other["compression"]) == ("ann", "99", "yes")
    assert known_hosts(config).startswith("[10.0.0.1]:2222 ")


def test_the_role_makes_a_key_only_where_there_is_none_and_never_sees_it() -> None:
    config = Config(repository="git@github.com:ann/notes.git")
    found = list(GithubSsh().resources(config, Host("h", "10.0.0.1", roles=("github_ssh",))))
    made = next(one for one in found if isinstance(one, Command))
    assert made.creates == "/root/.ssh/github_ed25519"
    kept = next(one for one in found if isinstance(one, File) and one.path == made.creates)
    assert (kept.content, kept.mode) == (None, 0o600)
    assert any(isinstance(one, Block) for one in found)
    assert not any("remote.origin" in one.name for one in found), "only beside the log book's repository"
